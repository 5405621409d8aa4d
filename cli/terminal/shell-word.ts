/** Shows commands as a shell reads them. */

/** The command line of this process. */
export function typedCommand(): string {
  return ['npx numgate', ...process.argv.slice(2).map(shellWord)].join(' ');
}

/** Quotes text as one word of a shell (sh, bash, zsh, fish). */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
