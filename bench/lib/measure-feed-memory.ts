/**
 * Runs as a separate process. With `make`, writes the state of a pull with the given number of entries. With `use`, reads this
 * state, writes it and its lists again as a pull does, and prints the peak memory of the process and the size of the state, in
 * bytes. Arguments: `make` or `use`, a folder, and for `make` the number of entries.
 */
import { statSync } from 'node:fs';
import { FeedEntries } from '../../cli/feed/entries.ts';
import { writeLists } from '../../cli/feed/list-files.ts';
import { LIST_DEFAULTS, planLists } from '../../cli/feed/lists.ts';
import { statePath } from '../../cli/feed/puller.ts';
import { readState, writeState } from '../../cli/feed/state-file.ts';
import { planTexts } from '../../cli/feed/text-files.ts';
import { BLOCK_STAGES } from '../../shared/verdict.ts';

const [mode, folder, count] = process.argv.slice(2);
const path = statePath(folder!);

if (mode === 'make') make(Number(count));
else {
  const state = await readState(path);
  writeState(path, state);
  const texts = planTexts(state.entries.texts, null, LIST_DEFAULTS);
  writeLists(folder!, planLists(state.entries, LIST_DEFAULTS), texts, state.entries, state.place);
  const peak = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(JSON.stringify({ peak, bytes: statSync(path).size }));
}

function make(entryCount: number): void {
  const entries = new FeedEntries();
  for (let index = 0; index < entryCount; index++) {
    const reference = Buffer.alloc(16);
    reference.writeUInt32BE(index, 4);
    entries.set(reference.toString('base64url'), {
      ...{ number: `+8210${20_000_000 + ((index * 7_919) % 80_000_000)}`, source: null },
      ...{ subject: index % 2 === 0 ? 'from' : 'to', effect: 'block', code: 'SENDER_REPORTED' },
      ...{ authority: 'numgate', list: 'live', rule: `rule-${index % 4}@1`, stage: BLOCK_STAGES[index % 2]! },
      until: index % 4 === 0 ? '2099-01-01T00:00:00.000Z' : null,
    });
  }
  const at = new Date(0).toISOString();
  const place = { url: '', feed: '', epoch: 1, position: entryCount, digest: '', checkpoint: '', at };
  writeState(path, { place, entries });
}
