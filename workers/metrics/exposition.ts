/**
 * Formats metrics as text: OpenMetrics 1.0, or the older Prometheus text format (0.0.4) for readers that know
 * only that one. Samples of one family stay together, as both formats require.
 */
import { FAMILIES, type Family, type FamilyName, type LabelsOf } from './families.ts';

const PREFIX = 'numgate_';

export const METRIC_FORMATS = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
} as const;
export type MetricFormat = keyof typeof METRIC_FORMATS;

/** The suffix that samples of a type add to the name of their family. */
const SUFFIX = { gauge: '', counter: '_total', info: '_info' } as const;

export class Samples {
  readonly #byFamily = new Map<FamilyName, string[]>();

  /** @param value null adds no sample */
  add<Name extends FamilyName>(name: Name, value: number | null, labels: LabelsOf<Name>): void {
    if (value === null) return;
    const { type, labels: names }: Family = FAMILIES[name];
    const pairs = names.map((label) => `${label}="${escaped((labels as Record<string, string>)[label]!)}"`);
    const braces = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
    const lines = this.#byFamily.get(name) ?? [];
    lines.push(`${PREFIX}${name}${SUFFIX[type]}${braces} ${value}`);
    this.#byFamily.set(name, lines);
  }

  /** Several values that differ in one label. */
  addEach<Name extends FamilyName>(
    name: Name,
    label: keyof LabelsOf<Name>,
    values: Readonly<Record<string, number>>,
  ): void {
    for (const [key, value] of Object.entries(values))
      this.add(name, value, { [label]: key } as LabelsOf<Name>);
  }

  format(format: MetricFormat): string {
    const isOpen = format === 'openmetrics';
    const blocks = (Object.entries(FAMILIES) as [FamilyName, Family][]).flatMap(([name, family]) => {
      const lines = this.#byFamily.get(name);
      if (lines === undefined) return [];
      // The older format names the samples instead of the family, and has neither units nor the type `info`.
      const title = PREFIX + name + (isOpen ? '' : SUFFIX[family.type]);
      const type = family.type === 'info' && !isOpen ? 'gauge' : family.type;
      return [
        `# TYPE ${title} ${type}`,
        ...(isOpen && family.unit !== undefined ? [`# UNIT ${title} ${family.unit}`] : []),
        `# HELP ${title} ${family.help}`,
        ...lines,
      ];
    });
    return [...blocks, ...(isOpen ? ['# EOF'] : []), ''].join('\n');
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
