/**
 * Separate planes. The edge cannot change anything, control returns no verdicts, and changes at control become
 * visible at the edge.
 */
import { describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import { openApi, type Reply, send } from './support/send.ts';
import { adminValue, change, checkOnceVisible } from './support/send-admin.ts';
import { world } from './support/world.ts';

type Item = Record<string, unknown> & { readonly 'x-plane': readonly string[] };

/** Paths that the document gives only to this plane, with parameters replaced by `one`. */
async function pathsOf(plane: 'edge' | 'control'): Promise<string[]> {
  const { paths } = (await openApi()).document as { paths: Record<string, Item> };
  return Object.entries(paths)
    .filter(([, item]) => item['x-plane'].length === 1 && item['x-plane'][0] === plane)
    .map(([path]) => path.replace(/\{\w+\}/g, 'one'));
}

describe('the edge alone', () => {
  it('every route of the control plane is 404, even with the root token', async () => {
    const { edge: base, secrets } = world();
    const paths = await pathsOf('control');
    expect(paths.length).toBeGreaterThan(15);
    const headers = { authorization: `Bearer ${secrets.NUMGATE_TOKEN}` };
    for (const path of [...paths, '/v1/admin', '/v1/admin/']) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const response = await fetch(base + path, { method, headers });
        const { code } = (await response.json()) as { code: string };
        expect([method, path, response.status, code]).toEqual([method, path, 404, 'NOT_FOUND']);
      }
    }
  });

  it('both planes serve the document of the whole suite', async () => {
    const { url, edge, control } = world();
    const documents = await Promise.all(
      [url, edge, control].map(async (base) => (await send('/openapi.json', { base, client: null })).text),
    );
    expect(new Set(documents).size).toBe(1);
  });
});

describe('control alone', () => {
  it('every route of the edge is 404', async () => {
    const paths = await pathsOf('edge');
    expect(paths).toContain('/v1/check');
    for (const path of paths) {
      const response = await fetch(world().control + path);
      const { code } = (await response.json()) as { code: string };
      expect([path, response.status, code]).toEqual([path, 404, 'NOT_FOUND']);
    }
  });
});

describe('a change at control', () => {
  const number = '+821078000001';

  it('a block and its end show at the edge', async () => {
    const { edge: base, control, release } = world();
    const seq = await change('block', [{ number }], {}, { base: control });
    expect(await checkOnceVisible(seq, { to: number }, { base })).toMatchObject({
      verdict: 'block',
      release,
    });
    const cleared = await change('clear', [{ number }], {}, { base: control });
    expect((await checkOnceVisible(cleared, { to: number }, { base })).verdict).toBe('allow');
    const { propagation } = await adminValue<{ propagation: object[] }>('status', { base: control });
    expect(propagation).toMatchObject([{ dataCentre: 'local' }]);
  });

  it('a new client is accepted', async () => {
    const { edge: base, control } = world();
    const { key, secretSha256 } = await newKey('newcomer');
    const client = { id: 'newcomer', secretSha256: [secretSha256], rights: ['check'] };
    const body = { client, reason: 'a test' };
    await adminValue('clients/newcomer', { base: control, method: 'PUT', body });
    const headers = { authorization: `Bearer ${key}` };
    const checkAsNewcomer = (): Promise<Reply> =>
      send('/v1/check', { base, client: null, headers, body: { to: '112' } });
    while ((await checkAsNewcomer()).status === 401) await new Promise((resolve) => setTimeout(resolve, 250));
    expect((await checkAsNewcomer()).status).toBe(200);
  });
});
