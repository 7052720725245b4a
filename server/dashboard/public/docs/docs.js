// Owns the page of the interface's description: fetches the document with the session of this browser, or with a secret that is typed
// in, and hands it to Swagger UI. Nothing is stored, and nothing is asked of another host.
(() => {
  const words = {
    en: {
      why: 'Sign in to Tirta first, or give an API key or access token:',
      failed: 'The description can not be read. Is the server running?',
      open: 'Open',
      secret: 'API key or access token',
      back: '← Tirta',
    },
    id: {
      why: 'Masuk ke Tirta dahulu, atau isikan kunci API atau token akses:',
      failed: 'Deskripsi tidak dapat dibaca. Apakah server berjalan?',
      open: 'Buka',
      secret: 'Kunci API atau token akses',
      back: '← Tirta',
    },
  };
  let language = null;
  try {
    language = localStorage.getItem('tirta.language');
  } catch {
    // Storage may be forbidden: then the browser decides.
  }
  language ||= navigator.language.startsWith('en') ? 'en' : 'id';
  const text = words[language] ?? words.id;
  document.documentElement.lang = language;
  document.documentElement.classList.toggle('dark-mode', document.documentElement.dataset.theme === 'dark');

  const part = (id) => document.getElementById(id);
  part('back').textContent = text.back;
  part('open').textContent = text.open;
  part('secret').placeholder = text.secret;
  part('secret').setAttribute('aria-label', text.secret);

  const show = (spec, secret) => {
    part('ask').hidden = true;
    window.SwaggerUIBundle({
      spec,
      domNode: part('operations'),
      deepLinking: true,
      docExpansion: 'none',
      defaultModelsExpandDepth: 0,
      filter: true,
      tryItOutEnabled: true,
      validatorUrl: null,
      onComplete() {
        // What was typed in to read the document is what it is tried with.
        if (secret) this.preauthorizeApiKey(secret.startsWith('tirta_at_') ? 'access' : 'key', secret);
      },
    });
  };

  const load = async (secret) => {
    const headers = secret ? { authorization: `Bearer ${secret}` } : {};
    const answer = await fetch('/api/v1/openapi.json', { headers }).catch(() => null);
    if (answer?.ok) {
      show(await answer.json(), secret);
      return;
    }
    part('why').textContent = answer ? text.why : text.failed;
    part('ask').hidden = false;
    part('secret').focus();
  };

  part('ask').addEventListener('submit', (event) => {
    event.preventDefault();
    void load(part('secret').value.trim());
  });
  void load('');
})();
