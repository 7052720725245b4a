// Owns the compiler's options, shared by Vite and svelte-check.
export default { compilerOptions: { runes: true } };
