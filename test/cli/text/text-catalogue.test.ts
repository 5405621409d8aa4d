/** The catalogue of a text release: its files, its options, and errors in them. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { parseHostsOption, readTextCatalogue } from '../../../cli/text/text-catalogue.ts';
import { failureOf } from '../support/failing.ts';
import { FOLDER, write } from '../support/workspace.ts';

const LIST = { name: 'phishing', file: 'hosts.txt', effect: 'block', authority: 'kisa' };

const messageOf = async (catalogue: object): Promise<string> => {
  const path = write('text/wrong.json', JSON.stringify(catalogue));
  return (await failureOf(async () => readTextCatalogue(path, {}))).message.replace(path, 'wrong.json');
};

describe('a text catalogue', () => {
  it('has paths relative to its file, and the host lists of those that it includes', () => {
    const main = write(
      'text/main.json',
      JSON.stringify({ model: 'm', hostLists: [LIST], canaryTexts: 'c.txt', include: ['feed/text.json'] }),
    );
    write(
      'text/feed/text.json',
      JSON.stringify({ hostLists: [{ ...LIST, name: 'shared', fromFeed: true }] }),
    );
    expect(readTextCatalogue(main, {})).toEqual({
      model: `${FOLDER}/text/m`,
      hostLists: [
        { ...LIST, file: `${FOLDER}/text/hosts.txt`, fromFeed: false },
        { ...LIST, name: 'shared', file: `${FOLDER}/text/feed/hosts.txt`, fromFeed: true },
      ],
      canaryTexts: `${FOLDER}/text/c.txt`,
    });
  });

  it('gets host lists from options after its own, and its model replaced', () => {
    const path = write('text/own.json', JSON.stringify({ model: 'm', hostLists: [LIST] }));
    const hosts = [{ ...LIST, name: 'more', effect: 'label' as const, fromFeed: false }];
    const { model, hostLists } = readTextCatalogue(path, { model: '/other', hosts });
    expect([model, hostLists.map(({ name }) => name)]).toEqual(['/other', ['phishing', 'more']]);
  });

  it.each([
    [
      { model: 'm', hosts: [] },
      /^wrong\.json: hosts .*known fields: model, hostLists, canaryTexts, include$/,
    ],
    [{ hostLists: [{ ...LIST, effect: 'deny' }] }, /^wrong\.json: hostLists\[0\]\.effect /],
    [{ hostLists: [{ ...LIST, name: 'Phishing' }] }, /hostLists\[0\]\.name must have only lower case/],
    [{ hostLists: [{ ...LIST, asOf: 'yesterday' }] }, /hostLists\[0\]\.asOf must be a time such as/],
    [{ hostLists: [LIST, LIST] }, /two host lists have the name phishing/],
    [{}, /^wrong\.json names no model and no host list/],
  ])('that is wrong is refused: %j', async (catalogue, message) => {
    expect(await messageOf(catalogue)).toMatch(message);
  });

  it('must not include one that names a model, or includes others', async () => {
    write('text/with-model.json', JSON.stringify({ model: 'm', hostLists: [LIST] }));
    expect(await messageOf({ include: ['with-model.json'] })).toMatch(/may only have "hostLists"/);
    write('text/nested.json', JSON.stringify({ include: ['with-model.json'] }));
    expect(await messageOf({ include: ['nested.json'] })).toMatch(/must not have "include"/);
  });
});

describe('the option --hosts', () => {
  it('has name, file, effect and authority; a path may have colons', () => {
    expect(parseHostsOption('kisa=/a:b/hosts.txt:label:kisa')).toEqual({
      ...{ name: 'kisa', file: '/a:b/hosts.txt', effect: 'label', authority: 'kisa', fromFeed: false },
    });
  });

  it.each(['hosts.txt', 'kisa=hosts.txt', 'kisa=hosts.txt:deny:kisa', 'K=h:block:kisa', '=h:block:kisa'])(
    'refuses %j',
    (text) => {
      expect(parseHostsOption(text)).toBeNull();
    },
  );
});
