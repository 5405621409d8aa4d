/** What `numgate text train` refuses, and what it leaves behind if it is interrupted. */
import '../support/workspace.ts';

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readModelFolder } from '../../../cli/text/model-folder.ts';
import { TRAINING_LABEL_MIN } from '../../../shared/limits/text-training.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { numgate, start } from '../support/command.ts';
import { everyRow, file, OPTIONS, RATES, rows, type TrainingRow } from '../support/training.ts';
import { FOLDER } from '../support/workspace.ts';

/** Processor time in hundredths of a second after which a command is training. Loading takes much less. */
const TRAINING_TICKS = 120;

describe('bad texts for training', () => {
  const out = (): string => join(FOLDER, 'models', 'never');
  const spam = rows.filter(({ label }) => label === 'spam');
  const legitimate = rows.filter(({ label }) => label === 'legitimate');

  async function refusal(given: readonly TrainingRow[], ...options: readonly string[]): Promise<string> {
    const { code, errors } = await numgate(
      'text',
      'train',
      file('bad.csv', given),
      '--out',
      out(),
      ...options,
    );
    expect(code).toBe(1);
    expect(existsSync(out())).toBe(false);
    return errors;
  }

  it('without one of the labels are refused', async () => {
    expect(await refusal(spam)).toMatch(
      /no text has the label "legitimate": a model needs both labels\. Add a file/,
    );
    expect(await refusal(legitimate)).toMatch(/no text has the label "spam"/);
  });

  it('that are too few are refused', async () => {
    const few = await refusal([...spam.slice(0, 10), ...legitimate]);
    expect(few).toContain(
      `only 10 distinct texts with the label "spam", but ${TRAINING_LABEL_MIN} are needed`,
    );
  });

  it('of one domain are refused, with the reason and the option that accepts it', async () => {
    const english = rows.filter(({ domain }) => domain === 'english-messages');
    const message = await refusal(english, ...OPTIONS);
    expect(message).toMatch(/all legitimate texts are of the domain "english-messages".*--one-domain/s);
    const accepted = join(FOLDER, 'models', 'one-domain');
    const args = ['text', 'train', file('one.csv', english), '--out', accepted, '--one-domain', ...OPTIONS];
    expect((await numgate(...args)).code).toBe(0);
  });

  it('of a domain that supports no threshold are refused, and the rate that it supports is named', async () => {
    const message = await refusal(rows, '--folds', '2', '--bits', '14');
    expect(message).toMatch(/domain "[a-z-]+" has [\d,]+ texts.*3\/n.*--suspicious-rate 0\.00\d/s);
  });

  it('are refused before anything is read, if the options are wrong', async () => {
    const usage = async (...options: readonly string[]): Promise<string> => {
      const { code, errors } = await numgate('text', 'train', 'none.csv', ...options);
      expect(code).toBe(2);
      return errors;
    };
    expect(await usage()).toContain("required option '--out <folder>' not specified");
    expect(await usage('--out', out(), '--suspicious-rate', '0.1')).toContain(
      'must not be above --review-rate',
    );
    expect(await usage('--out', out(), '--labels', 'ham=good')).toContain('ham=legitimate,1=spam');
    expect(await usage('--out', out(), '--bits', '19')).toContain('must be a whole number from 12 to 18');
    expect(await usage('--out', out(), '--held-out', '0.9')).toContain(
      'must be a share above 0, at most 0.5',
    );
    expect(await usage('--out', out(), '--name', 'My model')).toContain('only lower case letters');
  });
});

describe('an interrupted training', () => {
  const isLinux = existsSync('/proc/self/stat');

  it.runIf(isLinux)('leaves no folder after Ctrl-C', async () => {
    const folder = join(FOLDER, 'interrupted');
    mkdirSync(folder);
    const many = file(
      'many.csv',
      everyRow.filter((_, index) => index % 5 === 0),
    );
    const { child, result } = start(['text', 'train', many, '--out', join(folder, 'model'), ...RATES]);
    await vi.waitFor(() => expect(ticksOf(child.pid!)).toBeGreaterThan(TRAINING_TICKS), HANG_MS);
    child.kill('SIGINT');
    const { code, out } = await result;
    expect([code, out]).toEqual([130, '']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.runIf(isLinux)('leaves a whole folder or none if it is killed while it writes', async () => {
    const folder = join(FOLDER, 'killed');
    mkdirSync(folder);
    const out = join(folder, 'model');
    const { child, result } = start(['text', 'train', file('killed.csv', rows), '--out', out, ...OPTIONS]);
    await vi.waitFor(
      () => expect(readdirSync(folder).length + Number(child.exitCode !== null)).toBeGreaterThan(0),
      {
        ...{ timeout: HANG_MS, interval: 1 },
      },
    );
    child.kill('SIGKILL');
    await result;
    if (existsSync(out)) expect(readModelFolder(out).facts.bits).toBe(14);
    // The leftovers do not stop the next run.
    const { code, out: printed } = await numgate(
      'text',
      'train',
      file('next.csv', rows),
      '--out',
      `${out}-2`,
      ...OPTIONS,
    );
    expect(code).toBe(0);
    expect(printed).toMatch(
      /next: npx numgate text build --model .*\n {2}with --keep-hosts, the build keeps the host/,
    );
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

/** Processor time of a process, in hundredths of a second (proc(5), fields 14 and 15). */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
