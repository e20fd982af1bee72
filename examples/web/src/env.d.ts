// What Vite and a package without types at hand are to this page: `npm run lint` needs no installed ones.

interface ImportMeta { readonly env: { readonly DEV: boolean } }

declare module '*?url' {
  const url: string;
  export default url;
}

declare module 'marked' {
  export const marked: { parse(markdown: string): string };
}
