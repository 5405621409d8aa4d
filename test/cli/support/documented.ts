/** The commands in documents: those of their `sh` blocks. Each one is one or more lines of a shell. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** The commands of one block, in order. They run in the same shell. */
export interface Block {
  /** For example `docs/lists.md:111`. */
  readonly place: string;
  readonly commands: readonly string[];
}

/** The blocks of every document of the project, by document. */
export function documentedBlocks(): Map<string, Block[]> {
  const listed = execFileSync('git', ['ls-files', '*.md'], { cwd: PROJECT, encoding: 'utf8' });
  const paths = listed.split('\n').filter((path) => path !== '' && !path.startsWith('test/'));
  return new Map(paths.map((path) => [path, blocksOf(path, readFileSync(join(PROJECT, path), 'utf8'))]));
}

function blocksOf(path: string, text: string): Block[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(({ 1: body = '', index }) => {
    const line = text.slice(0, index).split('\n').length;
    return { place: `${path}:${line}`, commands: commandsOf(body) };
  });
}

/** Splits a block into commands. A command ends where bash considers it complete. Comments are removed. */
function commandsOf(body: string): string[] {
  const commands: string[] = [];
  let begun = '';
  for (const line of body.trimEnd().split('\n')) {
    begun += `${begun === '' ? '' : '\n'}${line.replace(/(^|\s)#\s.*$/, '').trimEnd()}`;
    if (begun === '' || !isComplete(begun)) continue;
    commands.push(begun);
    begun = '';
  }
  return begun === '' ? commands : [...commands, begun];
}

function isComplete(command: string): boolean {
  if (/(\\|\|)$/.test(command)) return false;
  // Placeholders such as <release> are not syntax errors of the document.
  return spawnSync('bash', ['-n', '-c', command.replace(/<[^<>\s][^<>]*>/g, 'x')]).status === 0;
}
