// Owns which files open without a network: the first load, the front page, and the pages of somebody beside a tank. Writes them, with a version that is theirs
// alone, into the service worker.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const PUBLIC = new URL('../public/', import.meta.url);
const WORKER = new URL('service-worker.js', import.meta.url);
/** What a technician opens where there may be no network; and what these fetch when it is needed, as the reader of labels. */
const BESIDE_THE_TANK = [
  'alerts/AlertsPage',
  'alert/AlertPage',
  'devices/DevicesPage',
  'device/DevicePage',
  'claim/ClaimPage',
];

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
      for (const page of BESIDE_THE_TANK) {
        const chunk = Object.values(bundle).find(
          (each) => each.type === 'chunk' && each.facadeModuleId?.endsWith(`/src/pages/${page}.svelte`),
        );
        if (chunk?.type !== 'chunk') throw new Error(`the page ${page} is no chunk of its own any more`);
        add(chunk.fileName);
        chunk.dynamicImports.forEach(add);
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
