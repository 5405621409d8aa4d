/** Wrong command lines: the exit code, and the help that is shown. */
import './support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { numgate } from './support/command.ts';

describe('invalid usage', () => {
  it.each([
    [[], 'Usage: '],
    [['bild'], "unknown command 'bild'"],
    [['build', '--colour'], "unknown option '--colour'"],
    [['block', '010-1', '--resaon', 'x'], "unknown option '--resaon'\n(Did you mean --reason?)"],
    [['block', '010-1', '--resaon=x'], "unknown option '--resaon'\n(Did you mean --reason?)"],
    [['rollback', '--reason', 'x', '--relase', 'r'], '(Did you mean --release?)'],
    [['guards', 'set', 'a=1', '--resaon', 'x'], '(Did you mean --reason?)'],
    [['clients', 'set', 'a', '--mod', 'label'], '(Did you mean --mode?)'],
    [['polcy'], '(Did you mean policy?)'],
    [['clients', 'rotat'], '(Did you mean rotate?)'],
    [['block', '010-1'], "required option '--reason <text>' not specified"],
    [['policy', 'reset'], "required option '--reason <text>' not specified"],
    [['build', 'a', 'b'], 'too many arguments'],
    [['build', '--max-rejects', '2'], 'must be between 0 and 1'],
    [['build', '--max-rejects', ''], 'must be between 0 and 1'],
    [['build', '--out'], "option '--out <folder>' argument missing"],
    [['clients'], 'Usage: '],
    [['push', '--share', '1.5'], 'must be between 0 and 1'],
    [['push', '--share', '0'], 'must be above 0: to withdraw a canary, use rollback'],
    [['audit', 'verify', '--known', '7'], 'must be a record number and a hash'],
    [['sample', '--size', '-5'], 'must be a whole number'],
    [['blocks', '2026-13-45'], 'must be a UTC day, such as 2026-11-24'],
    [['push', '--override', 'adds'], '--override requires --reason'],
    [['promote', 'x', '--override', 'adds'], '--override requires --reason'],
    [['push', '--staged', '--override', 'adds'], "option '--staged' cannot be used with option '--override"],
    [['push', '--staged', '--share', '0.5'], "option '--staged' cannot be used with option '--share"],
    [['watch', '--timeout', '3'], '--timeout requires --seq'],
    [['watch', '--seq', '1', '--url', 'edge.example'], '--url must be a URL such as https://'],
    [['block', '--reason', 'x'], 'give a number or a source'],
  ])('%j exits with 2', async (args, message) => {
    const { code, out, errors } = await numgate(...args);
    expect([code, out]).toEqual([2, '']);
    expect(errors).toContain(message);
  });
});
