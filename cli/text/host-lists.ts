/** Collects the hosts of the lists of a catalogue: checked, in canonical form, each once in a list. */
import type { HostListSource } from '../../shared/build/text-release.ts';
import { HOSTS_MAX } from '../../shared/limits/text.ts';
import { CommandFailure, quoted } from '../failure.ts';
import { count, counted } from '../terminal/figures.ts';
import { readHostFile } from './host-file.ts';
import { checkHost, type HostProblem } from './host-rules.ts';
import type { CatalogueHostList } from './text-catalogue.ts';

/** Maximum number of rejected lines that a failure shows. */
const SHOWN_MAX = 10;

export interface RejectedHost {
  readonly file: string;
  readonly line: number;
  readonly code: HostProblem;
  readonly message: string;
}

export interface HostListReport {
  readonly list: string;
  readonly file: string;
  /** Number of hosts on the list. */
  readonly hosts: number;
  /** Number of lines with a host that an earlier line has, too. */
  readonly duplicates: number;
  readonly rejected: number;
}

export interface CollectedHosts {
  readonly sources: readonly HostListSource[];
  readonly reports: readonly HostListReport[];
  readonly rejects: readonly RejectedHost[];
  /** Number of hosts on both an allow list and another list: the allow list decides. */
  readonly excused: number;
}

export interface CollectSettings {
  readonly now: Date;
  /** Leave invalid lines out instead of failing. */
  readonly skipInvalid: boolean;
  /** @param share of all files, 0 to 1 */
  readonly onProgress?: (share: number) => void;
}

export async function collectHosts(
  lists: readonly CatalogueHostList[],
  { now, skipInvalid, onProgress = () => undefined }: CollectSettings,
): Promise<CollectedHosts> {
  const sources: HostListSource[] = [];
  const reports: HostListReport[] = [];
  const rejects: RejectedHost[] = [];
  for (const [index, { name, file, effect, authority, asOf, fromFeed }] of lists.entries()) {
    const hosts = new Set<string>();
    let read = 0;
    const before = rejects.length;
    await readHostFile(
      file,
      effect,
      ({ text, line }) => {
        const checked = checkHost(text, effect);
        if (!checked.ok) {
          rejects.push({ file, line, code: checked.code, message: `${quoted(text)} ${checked.message}` });
          return;
        }
        read++;
        hosts.add(checked.host);
        if (hosts.size > HOSTS_MAX)
          throw new CommandFailure(
            `${file}: more than ${count(HOSTS_MAX)} hosts; a text release cannot have more`,
          );
      },
      (share) => onProgress((index + share) / lists.length),
    );
    if (hosts.size === 0 && rejects.length === before)
      throw new CommandFailure(`${file}: has no host: remove the list ${name}, or check the file`);
    sources.push({
      info: {
        ...{ name, effect, authority, asOf: asOf ?? now.toISOString() },
        ...(fromFeed ? { fromFeed } : {}),
      },
      hosts: [...hosts].sort(),
    });
    const rejected = rejects.length - before;
    reports.push({ list: name, file, hosts: hosts.size, duplicates: read - hosts.size, rejected });
  }
  if (rejects.length > 0 && !skipInvalid) throw rejectedFailure(rejects);
  return { sources, reports, rejects, excused: countExcused(sources) };
}

function rejectedFailure(rejects: readonly RejectedHost[]): CommandFailure {
  const shown = rejects.slice(0, SHOWN_MAX);
  const more = rejects.length - shown.length;
  const message = [
    `${counted(rejects.length, 'line')} cannot be on a host list:`,
    ...shown.map(({ file, line, message: why }) => `  ${file}, line ${line}: ${why}`),
    ...(more === 0 ? [] : [`  and ${count(more)} more`]),
    'Correct them, or pass --skip-invalid to build without them',
  ].join('\n');
  return new CommandFailure(message, 1, { code: 'HOSTS_INVALID', rejected: rejects.length, rejects: shown });
}

function countExcused(sources: readonly HostListSource[]): number {
  const allowed = new Set(sources.flatMap(({ info, hosts }) => (info.effect === 'allow' ? hosts : [])));
  const others = sources.filter(({ info }) => info.effect !== 'allow').flatMap(({ hosts }) => hosts);
  return new Set(others.filter((host) => allowed.has(host))).size;
}
