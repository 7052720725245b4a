// Owns the theme of the first paint: resolves the stored choice (light, dark or the system's) to
// data-theme on <html>. Runs before the application; src/lib/state/theme.svelte.ts takes over from it.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem('tirta.theme');
  } catch {
    // Storage may be forbidden: then the system decides.
  }
  const dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
