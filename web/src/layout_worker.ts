// Lays out a graph: Graphviz, in a worker of its own, so that a large graph never stops the page.
import { instance } from '@viz-js/viz';

const ready = instance();

self.onmessage = async ({ data }: MessageEvent) => {
  try {
    const svg = (await ready).renderString(data.dot, { format: 'svg', engine: 'dot' });
    self.postMessage({ id: data.id, svg });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error).slice(0, 300) });
  }
};
