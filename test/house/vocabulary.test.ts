/** Names and prose use the terms of docs/glossary.md and plain English. */
import { describe, expect, it } from 'vitest';
import { identifiersOf, wordsOf } from './support/identifiers.ts';
import { documents, sources } from './support/sources.ts';

/** Folders to which the rule applies. */
const FOLDERS = ['shared', 'workers', 'cli', 'bench', 'examples', 'test'];

/** Words that no name may contain, and what to use instead. */
const REPLACEMENTS: readonly (readonly [word: string, instead: string])[] = [
  ['about', 'for, of'],
  ['apart', 'separate'],
  ['ask', 'request, check, look up'],
  ['bring', 'publish, load'],
  ['heed', 'apply, use'],
  ['judge', 'screen'],
  ['mend', 'repair, restore'],
  ['opinion', 'effect'],
  ['outcome', 'result'],
  ['said', 'printed, options'],
  ['say', 'print, format'],
  ['speaking', 'relevant'],
  ['surroundings', 'dependencies'],
  ['tail', 'unsealed entries, suffix'],
  ['tell', 'format, report'],
  ['told', 'formatted, given'],
  ['trial', 'canary'],
  ['upon', 'base'],
  ['wish', 'settings, options'],
];
const ENDINGS = ['', 's', 'es', 'd', 'ed', 'er', 'ing'];

/** Names of the wire, the platform or packages that are exempt, each with its reason. */
const ALLOWED: Readonly<Record<string, string>> = {
  askedAt: 'a field of the status',
  RateLimitOutcome: 'a type of the Workers runtime',
  TemplateTail: 'a token of TypeScript',
  tail: 'a field of the status and of the head',
  tails: 'a field of the golden vectors',
};

/** The forbidden words of a name, each with its replacement. */
function violations(name: string): string[] {
  if (Object.hasOwn(ALLOWED, name)) return [];
  return REPLACEMENTS.filter(([word]) => {
    const forms = ENDINGS.flatMap((ending) => [word + ending, word.replace(/e$/, '') + ending]);
    return wordsOf(name).some((each) => forms.includes(each));
  }).map(([word, instead]) => `${name}: not "${word}", but ${instead}`);
}

/** Phrases that documents must not use, and what to write instead. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:is|are|was|were) told\b/i, 'say who does what, or use "receives", "gets", "returns"'],
  [/\bwho asks\b/i, '"the client"'],
  [/\bby itself\b/i, '"alone", "automatically"'],
  [/\bwhat (?:it|they) (?:is|are) taken for\b/i, '"the expected value"'],
  [/(?<!instead )\bof before\b/i, '"the previous"'],
  [/\bupon\b/i, '"on", "based on"'],
  [/\bwhat there is\b/i, 'name it'],
];

function phrasesIn(text: string): string[] {
  // Code is exempt.
  const prose = text.replace(/```[\s\S]*?```|`[^`]*`/g, '');
  return PHRASES.flatMap(([phrase, instead]) => {
    const found = phrase.exec(prose);
    return found === null ? [] : [`"${found[0]}": write ${instead}`];
  });
}

describe('the vocabulary rule', () => {
  const SNIPPET = `
    /** The judge asks. */
    const asked = \`told \${asking(/tell/, { a: 1 })} upon\`;
    class Judge { #wishes = 'said'; ask_NOTHING = 4 / 2 / asker; }
    export const LOOK_APART = (task: Basket) => task.mask;
  `;

  it('finds forbidden words in names, and none in comments, strings and longer words', () => {
    const found = [...identifiersOf(SNIPPET)].filter((name) => violations(name).length > 0);
    expect(found).toEqual(['asked', 'asking', 'Judge', '#wishes', 'ask_NOTHING', 'asker', 'LOOK_APART']);
  });

  it('finds forbidden words in names of files', () => {
    expect(violations('ask-admin.ts')).toEqual(['ask-admin.ts: not "ask", but request, check, look up']);
  });

  it('finds forbidden phrases in prose, and none in code', () => {
    expect(phrasesIn('The edge is told.\n```sh\nupon\n```\n`upon`')).toHaveLength(1);
  });
});

describe('names', () => {
  const covered = sources.filter(({ path }) => FOLDERS.some((folder) => path.startsWith(`${folder}/`)));

  it.each(covered.map(({ path, text }) => [path, text] as const))('%s', (path, text) => {
    const names = [path.split('/').at(-1)!, ...identifiersOf(text)];
    expect(names.flatMap(violations)).toEqual([]);
  });
});

describe('documents', () => {
  // These documents quote old names and titles of tests.
  const quoting = ['CHANGELOG.md', 'test/conformance/README.md'];
  it.each(documents.filter(([path]) => !quoting.includes(path)))('%s', (_path, text) => {
    expect(phrasesIn(text)).toEqual([]);
  });
});
