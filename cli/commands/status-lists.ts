/** `numgate status-lists`: the lists of issuers that revoke, suspend and slow down certificates. */
import type { Command } from 'commander';
import type { StatusListDone, StatusListInfo } from '../../shared/admin/credentials.ts';
import { adminOfEnvironment } from '../admin.ts';
import { readJws } from '../holder-key.ts';
import { counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { addReasonOption, examples } from './options.ts';

export function addStatusLists(program: Command): void {
  const lists = program
    .command('status-lists')
    .description('show and push the lists that revoke certificates');

  lists
    .command('list')
    .description('list status lists, and when each is pulled next')
    .addHelpText('after', examples('status-lists list'))
    .action(async () => {
      const { statusLists } = await adminOfEnvironment().get<{ statusLists: StatusListInfo[] }>(
        'status-lists',
      );
      print(...formatLists(statusLists));
    });

  addReasonOption(lists.command('push'))
    .description('push a list that an issuer has signed, instead of waiting for the next pull')
    .argument('<file>', 'a status list token (statuslist+jwt)')
    .addHelpText('after', examples('status-lists push status-list.jwt'))
    .action(async (file: string, { reason }: { readonly reason: string }) => {
      const body = { statusList: readJws(file), reason };
      const done = await adminOfEnvironment().change<StatusListDone>('POST', 'status-lists', body);
      print(`${done.uri} accepted: ${counted(done.changed, 'certificate')} changed\n`, done);
    });
}

function formatLists(statusLists: readonly StatusListInfo[]): Report {
  const rows = statusLists.map(
    ({ uri, issuer, issuedAt, expires, entries, certificates, pullAt, problem }) => [
      ...[uri, issuer, issuedAt, expires, entries, certificates, pullAt, problem ?? ''],
    ],
  );
  const names = ['list', 'issuer', 'issued', 'expires', 'entries#', 'certificates#', 'next pull', 'problem'];
  return [rows.length === 0 ? 'no status lists\n' : formatTable(names, rows), { statusLists }];
}
