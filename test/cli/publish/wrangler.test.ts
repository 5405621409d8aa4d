/** What a failure of wrangler is reported as. */
import { afterEach, expect, it } from 'vitest';
import { wrangler } from '../../../cli/publish/wrangler.ts';

const { execPath } = process;
afterEach(() => {
  process.execPath = execPath;
});

it('reports why Node did not start', async () => {
  process.execPath = '/missing/node';
  await expect(wrangler(['kv', 'key', 'list'])).rejects.toThrow(
    'wrangler kv key list failed (exit ENOENT):\nspawn /missing/node ENOENT',
  );
});
