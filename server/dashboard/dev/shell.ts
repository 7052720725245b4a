// Owns which files open without a network: the first load and the front page. Writes them, with a version that is theirs
// alone, into the service worker.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const PUBLIC = new URL('../public/', import.meta.url);
const WORKER = new URL('service-worker.js', import.meta.url);

export function shell(): Plugin {
  return {
    name: 'tirta-shell',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = new Set<string>();
      const hash = createHash('sha256');
      const add = (name: string): void => {
        const chunk = bundle[name];
        if (files.has(name) || chunk?.type !== 'chunk') return;
        files.add(name);
        chunk.viteMetadata?.importedCss.forEach((css) => files.add(css));
        chunk.imports.forEach(add);
      };
      for (const chunk of Object.values(bundle)) {
        // Names carry the hash of their content: they say whether anything has changed.
        hash.update(chunk.fileName);
        if (chunk.type === 'chunk' && chunk.isEntry) add(chunk.fileName);
      }
      const own = readdirSync(PUBLIC, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`.replace(PUBLIC.pathname, '').replace(/^\/+/, ''))
        .sort();
      for (const name of own) hash.update(name).update(readFileSync(new URL(name, PUBLIC)));
      const worker = readFileSync(WORKER, 'utf8');
      const page = readFileSync(new URL('../index.html', import.meta.url));
      const version = hash.update(worker).update(page).digest('hex').slice(0, 16);
      const list = ['/', ...[...files, ...own].map((name) => `/${name}`)];
      this.emitFile({
        type: 'asset',
        fileName: 'service-worker.js',
        source: worker
          .replace("'__VERSION__'", JSON.stringify(version))
          .replace("['__FILES__']", JSON.stringify(list)),
      });
    },
  };
}
