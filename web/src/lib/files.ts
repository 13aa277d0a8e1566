/* SPDX-License-Identifier: Apache-2.0 */
/* files: what a person takes away: CSV as spreadsheets in China open it, and downloads. */

/* RFC 4180 with a byte order mark, without which Excel reads Chinese wrongly. A cell that begins like a formula
 * is preceded by an apostrophe, so that a customer's name cannot run in the operator's spreadsheet. */
export function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  const lines = rows.map((row) => row.map(csvCell).join(','));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
