/**
 * The planes deployed apart: the edge has no way to change anything, control gives no verdicts, and what
 * is changed there shows here.
 */
import { describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import { ask, document, type Reply } from './support/ask.ts';
import { change, checkFrom, told } from './support/ask-admin.ts';
import { world } from './support/world.ts';

type Item = Record<string, unknown> & { readonly 'x-plane': readonly string[] };

/** Paths of the document that only this plane has, with something in the place of parameters. */
async function pathsOf(plane: 'edge' | 'control'): Promise<string[]> {
  const { paths } = (await document()).document as { paths: Record<string, Item> };
  return Object.entries(paths)
    .filter(([, item]) => item['x-plane'].length === 1 && item['x-plane'][0] === plane)
    .map(([path]) => path.replace(/\{\w+\}/g, 'one'));
}

describe('the edge alone', () => {
  it('has nothing of the control plane, whoever asks: 404', async () => {
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

  it('tells what the whole suite is, and so does control', async () => {
    const { url, edge, control } = world();
    const documents = await Promise.all(
      [url, edge, control].map(async (base) => (await ask('/openapi.json', { base, client: null })).text),
    );
    expect(new Set(documents).size).toBe(1);
  });
});

describe('control alone', () => {
  it('gives no verdicts: 404', async () => {
    const paths = await pathsOf('edge');
    expect(paths).toContain('/v1/check');
    for (const path of paths) {
      const response = await fetch(world().control + path);
      const { code } = (await response.json()) as { code: string };
      expect([path, response.status, code]).toEqual([path, 404, 'NOT_FOUND']);
    }
  });
});

describe('what control changes', () => {
  const number = '+821078000001';

  it('shows at the edge: a block, and the end of it', async () => {
    const { edge: base, control, release } = world();
    const seq = await change('block', [{ number }], {}, { base: control });
    expect(await checkFrom(seq, { to: number }, { base })).toMatchObject({ verdict: 'block', release });
    const cleared = await change('clear', [{ number }], {}, { base: control });
    expect((await checkFrom(cleared, { to: number }, { base })).verdict).toBe('allow');
    const { propagation } = await told<{ propagation: object[] }>('status', { base: control });
    expect(propagation).toMatchObject([{ dataCentre: 'local' }]);
  });

  it('lets a new client in', async () => {
    const { edge: base, control } = world();
    const { key, secretSha256 } = await newKey('newcomer');
    const client = { id: 'newcomer', secretSha256: [secretSha256], rights: ['check'] };
    const body = { client, reason: 'a test' };
    await told('clients/newcomer', { base: control, method: 'PUT', body });
    const headers = { authorization: `Bearer ${key}` };
    const asked = (): Promise<Reply> =>
      ask('/v1/check', { base, client: null, headers, body: { to: '112' } });
    while ((await asked()).status === 401) await new Promise((resolve) => setTimeout(resolve, 250));
    expect((await asked()).status).toBe(200);
  });
});
