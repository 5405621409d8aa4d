/**
 * `numgate enumeration`: lists organisations whose clients seem to read out whole ranges of numbers, one detection for each
 * organisation and day.
 */
import type { Command } from 'commander';
import type { DetectionInfo } from '../../shared/admin/status.ts';
import type { ScanKind } from '../../shared/enumeration/detect.ts';
import { adminOfEnvironment } from '../admin.ts';
import { count } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { examples } from './options.ts';

/** The words that follow the count of a detection. A newer service may have further kinds. */
const WORDS: Readonly<Record<ScanKind, string>> = {
  canaries: 'canary numbers',
  fullBlocks: 'blocks checked completely',
  steps: 'numbers in equal steps',
  evenBlocks: 'blocks checked evenly',
  unallocated: 'numbers of unallocated blocks',
  volume: 'numbers, over the declared volume',
};

export function addEnumeration(program: Command): void {
  program
    .command('enumeration')
    .description('show which organisations seem to enumerate whole ranges of numbers')
    .addHelpText('after', examples('enumeration'))
    .action(async () => {
      const { detections } = await adminOfEnvironment().get<{ detections: DetectionInfo[] }>('enumeration');
      print(...formatDetections(detections));
    });
}

export function formatDetections(detections: readonly DetectionInfo[]): Report {
  if (detections.length === 0) return ['no enumeration was detected\n', { detections }];
  const rows = detections.map(({ day, organisation, at, found }) => [
    ...[day, organisation, at],
    found
      .map((detection) => `${count(detection.count)} ${WORDS[detection.kind] ?? detection.kind}`)
      .join('; '),
  ]);
  return [formatTable(['day', 'organisation', 'first detected', 'found'], rows), { detections }];
}
