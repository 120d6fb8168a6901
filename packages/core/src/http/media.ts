import type { InputPart } from '../protocol/items.ts';

/** What a part that is no text holds, wherever the part says it: data in base64 with its media type, an address, or the id of a file. */
export type Media = {
  mediaType?: string | undefined;
  data?: string | undefined;
  url?: string | undefined;
  fileId?: string | undefined;
  filename?: string | undefined;
};

/** The media of a part; A file that comes without a type is a PDF, unless its name says that it is text. */
export function mediaOf(part: Exclude<InputPart, { type: 'input_text' }>): Media {
  if (part.type === 'input_audio')
    return { mediaType: `audio/${part.input_audio.format}`, data: part.input_audio.data };
  const { file_id: fileId, filename = '' } = { filename: undefined, ...part };
  const url = part.type === 'input_image' ? part.image_url : (part.file_data ?? part.file_url);
  const plain = part.type === 'input_file' && part.file_data !== undefined && !part.file_data.startsWith('data:');
  return {
    ...(fileId !== undefined && { fileId }),
    ...(filename !== '' && { filename }),
    ...(plain
      ? { mediaType: typeByName(filename), data: part.file_data }
      : url !== undefined && (dataIn(url) ?? { url })),
  };
}

/** What a `data:` URL holds; `undefined` for any other URL. */
function dataIn(url: string): Media | undefined {
  const [, type = '', base64, data = ''] = /^data:([^;,]*)[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
  if (!url.startsWith('data:')) return undefined;
  return { mediaType: type || 'text/plain', data: base64 === undefined ? btoa(decodeURIComponent(data)) : data };
}

function typeByName(filename: string): string {
  return /\.(txt|md|csv|tsv|json|xml|ya?ml|html?|log)$/i.test(filename) ? 'text/plain' : 'application/pdf';
}

/** The text that a file of a textual kind holds; `undefined` for any other kind. What is no base64 is taken for the text itself. */
export function textOfMedia({ mediaType = '', data = '' }: Media): string | undefined {
  if (!/^(text\/|application\/(json|xml|(x-)?yaml|javascript|typescript|x-ndjson|sql))/.test(mediaType))
    return undefined;
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)));
  } catch {
    return data;
  }
}
