// Fails a build whose first load carries more script than a phone on a farm should fetch, or whose page
// holds anything that the content security policy would refuse.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 120 * 1024;
/** What only the map needs: the library that draws it, and its outline. */
const MAP_LIMIT = 64 * 1024;
const OUTLINE_LIMIT = 120 * 1024;
const dist = new URL('../dist/', import.meta.url);
const html = readFileSync(new URL('index.html', dist), 'utf8');

const scripts = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1] ?? '');
const sizeOf = (path) => gzipSync(readFileSync(new URL(path, dist))).length;
const sum = (paths) => paths.reduce((all, path) => all + sizeOf(path), 0);
const total = sum(scripts);
const fail = (why) => {
  process.stderr.write(`${why}\n`);
  process.exitCode = 1;
};

if (scripts.length === 0) fail('index.html names no script at all');
if (total > LIMIT) fail(`the first load has ${total} bytes of script (gzip), more than ${LIMIT}`);

const assets = readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`);
const one = (begin) => assets.filter((path) => path.startsWith(`assets/${begin}-`));
/** A file with all that it imports, as far as the first load has not brought it. */
function closure(path, found = new Set()) {
  if (found.has(path) || scripts.includes(path)) return found;
  found.add(path);
  const text = readFileSync(new URL(path, dist), 'utf8');
  for (const [, name] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
    closure(`assets/${name}`, found);
  return found;
}
const pages = one('MapPage').filter((path) => path.endsWith('.js'));
const map = sum([...pages.reduce((found, path) => closure(path, found), new Set())]);
const outline = sum(one('outline'));
if (pages.length !== 1 || outline === 0) fail('the page of the map or its outline was not built');
if (map > MAP_LIMIT) fail(`the map has ${map} bytes of script (gzip), more than ${MAP_LIMIT}`);
if (outline > OUTLINE_LIMIT) fail(`the outline has ${outline} bytes (gzip), more than ${OUTLINE_LIMIT}`);
if (/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/.test(html))
  fail('index.html holds inline script or style');
process.stdout.write(
  `First load: ${(total / 1024).toFixed(1)} kB of script (gzip), limit ${LIMIT / 1024} kB\n`,
);
process.stdout.write(
  `The map: ${(map / 1024).toFixed(1)} kB of script, ${(outline / 1024).toFixed(1)} kB of outline (gzip)\n`,
);
