// Fails a build whose first load carries more script than a phone on a farm should fetch, or whose page
// holds anything that the content security policy would refuse.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 110 * 1024;
const dist = new URL('../dist/', import.meta.url);
const html = readFileSync(new URL('index.html', dist), 'utf8');

const scripts = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1] ?? '');
const sizes = scripts.map((path) => gzipSync(readFileSync(new URL(path, dist))).length);
const total = sizes.reduce((sum, size) => sum + size, 0);
const fail = (why) => {
  process.stderr.write(`${why}\n`);
  process.exitCode = 1;
};

if (scripts.length === 0) fail('index.html names no script at all');
if (total > LIMIT) fail(`the first load has ${total} bytes of script (gzip), more than ${LIMIT}`);
if (/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/.test(html))
  fail('index.html holds inline script or style');
process.stdout.write(
  `First load: ${(total / 1024).toFixed(1)} kB of script (gzip), limit ${LIMIT / 1024} kB\n`,
);
