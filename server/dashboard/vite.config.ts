// Owns the build: one static application whose files all come from its own origin (the server's CSP says so).
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { shell } from './dev/shell';

const server = process.env.TIRTA_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), shell()],
  resolve: { alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) } },
  build: {
    target: 'es2022',
    // Nothing is inlined as a data: address, which the CSP would refuse.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // changeOrigin stays off: the server compares Origin with Host.
    proxy: { '/api': { target: server, ws: true, secure: false } },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
