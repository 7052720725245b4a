// Owns the English text about the interface's description. See `en.ts`.

export const docsEn = {
  link: 'API documentation',
};
