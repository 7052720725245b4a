// Puts Swagger UI beside the page that shows the interface's description (public/docs). Packed once here: the server sends it as it
// is, and the program that carries it stays small. The dashboard itself loads none of it.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 500 * 1024;
const from = new URL('../node_modules/swagger-ui-dist/', import.meta.url);
const to = new URL('../dist/docs/', import.meta.url);

mkdirSync(to, { recursive: true });
let total = 0;
for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
  // Its last line names a map that is not carried along.
  const text = readFileSync(new URL(name, from), 'utf8').replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*$/, '');
  const packed = gzipSync(text, { level: 9 });
  total += packed.length;
  writeFileSync(new URL(`${name}.gz`, to), packed);
}
copyFileSync(new URL('LICENSE', from), new URL('LICENSE.txt', to));
process.stdout.write(`Docs: ${(total / 1024).toFixed(1)} kB (gzip), limit ${LIMIT / 1024} kB\n`);
if (total > LIMIT) {
  process.stderr.write(`Swagger UI has ${total} bytes (gzip), more than ${LIMIT}\n`);
  process.exitCode = 1;
}
