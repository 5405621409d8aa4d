/** A lying service that has its own key cannot alter the log. It can still state other things. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { type AuditRecord, auditHash, auditLine } from '../../../shared/audit.ts';
import { newSignerKey, openSigner } from '../../../shared/signed-note.ts';
import { edit, forged, goldenTexts, type Proofs, type Texts, verdictOf } from '../support/evidence.ts';

/** Changes records of a part and writes them again with correct hashes. */
function rewrite(
  texts: Texts,
  part: string,
  change: (record: Record<string, unknown>, index: number) => object,
) {
  const records = texts[part]!.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  texts[part] = records
    .map((record, index) => {
      const { hash: _, ...rest } = change(record, index) as unknown as AuditRecord;
      return `${auditLine({ ...rest, hash: auditHash(rest) })}\n`;
    })
    .join('');
}

/** The service signs with its own key, so it can state anything about the sender, but it cannot alter the log. */
describe('a service that lies', () => {
  it.each<[string, string, (texts: Texts) => void]>([
    [
      'alters a record and its hash',
      'log RECORD_OUTSIDE',
      (texts) =>
        rewrite(texts, 'log.ndjson', (record, at) => (at === 1 ? { ...record, reason: 'other' } : record)),
    ],
    [
      'alters a record and leaves its hash',
      'log RECORD_ALTERED',
      (texts) => {
        texts['log.ndjson'] = texts['log.ndjson']!.replace('"reason":"', '"reason":"x');
      },
    ],
    [
      'writes a record in another form',
      'log PART_INVALID',
      (texts) => {
        texts['log.ndjson'] = texts['log.ndjson']!.replace('{"n":', '{ "n":');
      },
    ],
    [
      'adds a member to a record that only other parsers see',
      'log PART_INVALID',
      (texts) => {
        texts['log.ndjson'] = texts['log.ndjson']!.replace(
          /"reason":"([^"]*)"/,
          '"reason":"other","reason":"$1"',
        );
      },
    ],
    [
      'invents a record',
      'log RECORD_OUTSIDE',
      (texts) => {
        const n = 5_000;
        const record = JSON.parse(texts['log.ndjson']!.split('\n')[0]!) as AuditRecord;
        texts['log.ndjson'] += `${auditLine({ ...record, n, hash: auditHash({ ...record, n }) })}\n`;
        edit<Proofs>(texts, 'proofs.json', ({ log }) => log.push({ ...log[0]!, n }));
      },
    ],
    [
      'proves a record with the hashes of another',
      'log RECORD_OUTSIDE',
      (texts) =>
        edit<Proofs>(texts, 'proofs.json', ({ log }) => {
          [log[0]!.hashes, log.at(-1)!.hashes] = [log.at(-1)!.hashes, log[0]!.hashes];
        }),
    ],
    [
      'leaves out a proof',
      'log PROOF_MISSING',
      (texts) => edit<Proofs>(texts, 'proofs.json', ({ log }) => log.pop()),
    ],
    [
      'proves an earlier checkpoint with other hashes',
      'checkpoints TREE_OTHER',
      (texts) =>
        edit<Proofs>(texts, 'proofs.json', ({ checkpoints, log }) => {
          checkpoints[0]!.hashes = log[0]!.hashes;
        }),
    ],
    [
      'alters an earlier checkpoint',
      'checkpoints CHECKPOINT_INVALID',
      (texts) =>
        edit<Proofs>(texts, 'proofs.json', ({ checkpoints }) => {
          checkpoints[0]!.checkpoint = checkpoints[0]!.checkpoint.replace(/\n\d+\n/, '\n7\n');
        }),
    ],
    [
      'alters a record of another chain and its hash',
      'chains RECORD_OUTSIDE',
      (texts) =>
        rewrite(texts, 'chain-appeals.ndjson', (record, at) =>
          at === 1 ? { ...record, actor: 'token:x' } : record,
        ),
    ],
    [
      'names another anchor',
      'chains ANCHOR_OTHER',
      (texts) =>
        edit<Proofs>(texts, 'proofs.json', ({ chains }) => {
          chains[0]!.records[0]!.anchor = chains[1]!.records[0]!.anchor;
        }),
    ],
    [
      'names another place in the chain',
      'chains ANCHOR_OTHER',
      (texts) =>
        edit<Proofs>(texts, 'proofs.json', ({ chains }) => {
          chains[0]!.records[0]!.to++;
        }),
    ],
    [
      'gives a chain another name',
      'chains PROOF_MISSING',
      (texts) =>
        edit<Proofs>(texts, 'proofs.json', ({ chains }) => {
          chains[0]!.subject = 'appeals';
        }),
    ],
    [
      'leaves out the proofs of a chain',
      'chains PROOF_MISSING',
      (texts) =>
        edit<Proofs>(texts, 'proofs.json', (proofs) => {
          proofs.chains = proofs.chains.slice(1);
        }),
    ],
    [
      'names another sender',
      'subjects RECORD_FOREIGN',
      (texts) => {
        texts['subjects.json'] = texts['subjects.json']!.replaceAll('+821030000001', '+821030000002');
      },
    ],
    [
      'gives the sender the name of another',
      'subjects RECORD_FOREIGN',
      (texts) =>
        edit<{ numbers: { keyed: { name: string }[] }[] }>(texts, 'subjects.json', ({ numbers }) => {
          numbers[0]!.keyed[0]!.name = '8210-00000000';
        }),
    ],
    [
      'hides the rule block that a record is about',
      'subjects RECORD_FOREIGN',
      (texts) =>
        edit<{ ruleBlocks: object[] }>(texts, 'rule-blocks.json', ({ ruleBlocks }) => ruleBlocks.pop()),
    ],
    [
      'alters a rule',
      'rules RULE_OTHER',
      (texts) =>
        edit<{ rules: { rule: { distinct: number } }[] }>(texts, 'rules.json', ({ rules }) => {
          rules[0]!.rule.distinct = 5;
        }),
    ],
  ])('%s', async (_, verdict, change) => {
    expect(await verdictOf(await forged(change))).toBe(verdict);
  });

  it('shows the checkpoint of another tree', async () => {
    const other = await forged((texts, manifest) => {
      const { checkpoints } = JSON.parse(texts['proofs.json']!) as Proofs;
      texts['checkpoint.txt'] = checkpoints[0]!.checkpoint;
      manifest.log = { ...manifest.log };
    });
    expect(await verdictOf(other)).toBe('checkpoint CHECKPOINT_OTHER');
    // It also fails if the manifest names this checkpoint, because the tree lacks the records.
    const named = await forged((texts, manifest) => {
      const { checkpoints } = JSON.parse(texts['proofs.json']!) as Proofs;
      const { checkpoint, size } = checkpoints[0]!;
      texts['checkpoint.txt'] = checkpoint;
      manifest.log = { ...manifest.log, size, root: checkpoint.split('\n')[2]! };
    });
    expect(await verdictOf(named)).toBe('log RECORD_OUTSIDE');
  });

  it('signs a log of its own with another key', async () => {
    const signer = (await openSigner((await newSignerKey('numgate.example/test'))!))!;
    const { texts } = goldenTexts();
    const checkpoint = await signer.sign(texts['checkpoint.txt']!.split('\n\n')[0]!.concat('\n'));
    const files = await forged((own) => {
      own['checkpoint.txt'] = checkpoint;
    });
    expect(await verdictOf(files)).toBe('checkpoint SIGNER_OTHER');
  });
});
