/* SPDX-License-Identifier: Apache-2.0 */
/* vite.config: how the console is built, served while developing, and tested. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env['KITH_URL'] ?? 'http://127.0.0.1:8080';

/* What changes rarely is kept in chunks of its own, so that a new version of the console costs a
 * returning operator only the pages that changed. Charts and the graph come with the pages that
 * draw them. */
const chunks = [
  { name: 'react', test: /node_modules\/(react|react-dom|scheduler|react-router|@tanstack)\//, priority: 30 },
  { name: 'charts', test: /node_modules\/(echarts|zrender|tslib)\//, priority: 20 },
  { name: 'graph', test: /node_modules\/(@xyflow|d3-[a-z]+|zustand|classcat)\//, priority: 20 },
];

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      ['/api', '/v1', '/sa', '/healthz', '/readyz', '/metrics'].map((path) => [path, { target: server }]),
    ),
  },
  build: {
    target: 'es2022',
    sourcemap: false,
    chunkSizeWarningLimit: 1100,
    rolldownOptions: { output: { codeSplitting: { groups: chunks } } },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts', 'src/**/*.test.tsx'] },
});
