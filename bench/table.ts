/** Tables in Markdown, as the README shows them. */

import type { Measured } from './measure.ts';

/** @param rows - cells as text; the first column to the left, the others to the right. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(heads), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** @param unit - what the numbers are, e.g. `'ms'`. */
export function measuredTable(measured: readonly Measured[], unit: string, digits: number): string {
  const rows = measured.map(({ name, median, low, high }) => [
    name,
    median.toFixed(digits),
    `${low.toFixed(digits)} to ${high.toFixed(digits)}`,
  ]);
  return markdownTable(['what', `median, ${unit}`, 'middle half'], rows);
}
