// A Markdown document without its headings, and the sections that they stood over: what a heading
// asks for is then found by what the section says, not by the heading.

export interface Section {
  heading: string;
  /** Its own text, up to the next heading: characters of the text without headings. */
  start: number;
  end: number;
}

const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/;
const HTML_HEADING = /^\s*<h([1-6])[^>]*>(.*)<\/h\1>\s*$/i;
const UNDERLINE = /^(=+|-{2,})\s*$/;
const FENCE = /^\s*(?:[-*+]\s+)?(`{3,}|~{3,})/;
/** A line of a table of contents says the headings once more, and so do the anchors before them. */
const CONTENTS = /^\s*(?:[-*+]|\d+\.)\s+\[.*\]\(#[^)]*\)\s*$/;
const ANCHOR = /^\s*(?:<a\s[^>]*>\s*<\/a>\s*)+$/i;

export function withoutHeadings(markdown: string): { text: string; sections: Section[] } {
  const lines = markdown.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n').replace(/^---\n[\s\S]*?\n---\n/, '').split('\n');
  const sections: Section[] = [];
  let text = '';
  let fence: string | null = null; // what opened the fence that is open
  const open = (title: string): void => {
    sections.push({ heading: plain(title), start: text.length, end: text.length });
    text += '\n';
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const mark: string | undefined = FENCE.exec(line)?.[1];
    if (fence !== null) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = null;
    } else if (mark !== undefined) {
      fence = mark;
    } else {
      const title = HEADING.exec(line)?.[1] ?? HTML_HEADING.exec(line)?.[2];
      const underlined = title === undefined && line.trim() !== '' && (lines[i - 1] ?? '').trim() === '' && UNDERLINE.test(lines[i + 1] ?? '');
      if (underlined) i++;
      if (title !== undefined || underlined) {
        open(title ?? line);
        continue;
      }
      if (CONTENTS.test(line) || ANCHOR.test(line)) continue;
    }
    text += `${line}\n`;
  }
  return { text, sections: sections.map((section, i) => trimmed(text, { ...section, end: sections[i + 1]?.start ?? text.length })) };
}

/** A heading as it is read. */
function plain(title: string): string {
  return title.replace(/<[^>]*>/g, '').replace(/!\[[^\]]*\]\([^)]*\)/g, '').replace(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/[`*]/g, '').replace(/\\(?=\W)/g, '').replace(/\s+/g, ' ').trim();
}

function trimmed(text: string, { heading, start, end }: Section): Section {
  while (start < end && /\s/.test(text[start]!)) start++;
  while (end > start && /\s/.test(text[end - 1]!)) end--;
  return { heading, start, end };
}
