import { defineConfig } from 'vite';

// The chat window: what sites load (widget.js), and the page in the frame that it makes. Names
// are stable, as those of the console are.
export default defineConfig({
  root: 'widget',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: '../../dist',
    emptyOutDir: false, // the console is there
    target: 'es2020',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: { widget: 'widget/widget.html', loader: 'widget/loader.ts' },
      output: {
        entryFileNames: chunk => chunk.name === 'loader' ? 'widget.js' : 'assets/widget.js',
        chunkFileNames: 'assets/widget-[name].js',
        assetFileNames: 'assets/[name][extname]',
      },
    },
  },
});
