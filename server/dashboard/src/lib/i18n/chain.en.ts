// Owns the English text about the chain of the audit log: whether it is whole, and taking it out as a file. See `en.ts`.

export const chainEn = {
  title: 'Chain of the log',
  lead: 'Each entry carries a hash over itself and the one before. Write the end down elsewhere: it proves later that nothing before it was changed.',
  end: (entry: number) => `Ends with entry ${entry}`,
  empty: 'No entry yet',
  check: 'Check the chain',
  checking: 'Checking…',
  intact: (entries: string) => `Intact: ${entries} entries, each follows from the one before.`,
  broken: (entry: number) => `Broken at entry ${entry}`,
  problems: {
    changed: 'It is not what was written: it was changed, or others were put in or change places before it.',
    unhashed: 'It has no hash: somebody else than the server put it in.',
    removed: 'It is missing: it was removed, or stands elsewhere.',
    reordered: 'It stands in the wrong place: it was put in, or the order was changed.',
    truncated: 'The end of the log was cut off.',
    rewritten: 'The log was written anew.',
  },
  advice: 'Keep the database as it is, and verify a back-up with tirta audit verify.',
  csv: 'Spreadsheet (CSV)',
  jsonl: 'To verify (JSON lines)',
  whole: 'The whole log, oldest first',
};
