// sharp over a folder of photos, one pipeline a rendition, one thread: `node sharp.mjs MODULES WHAT FOLDER OUT`.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const [modules, what, folder, out] = process.argv.slice(2);
const sharp = createRequire(path.join(modules, 'x.js'))('sharp');
sharp.concurrency(1);
sharp.cache(false);

const thumb = (photo) => sharp(photo).rotate().resize(256, 256, { fit: 'inside', withoutEnlargement: true })
  .jpeg({ quality: 80 }).toFile(path.join(out, 'thumb.jpg'));

async function four(photo) {
  await thumb(photo);
  await sharp(photo).rotate().resize(1080, 1080, { fit: 'cover', withoutEnlargement: true })
    .jpeg({ quality: 80 }).toFile(path.join(out, 'square.jpg'));
  await sharp(photo).rotate().resize(1600, 900, { fit: 'cover', withoutEnlargement: true })
    .jpeg({ quality: 80 }).toFile(path.join(out, 'wide.jpg'));
  await sharp(photo).rotate().resize({ width: 1600, withoutEnlargement: true })
    .webp({ quality: 80 }).toFile(path.join(out, 'large.webp'));
}

const photos = fs.readdirSync(folder).sort().map((name) => path.join(folder, name));
const run = what === 'four' ? four : thumb;
await run(photos[0]);
const began = process.hrtime.bigint();
const used = process.cpuUsage();
for (const photo of photos) await run(photo);
const cpu = process.cpuUsage(used);
console.log(JSON.stringify({
  ms: Number(process.hrtime.bigint() - began) / 1e6 / photos.length,
  cpu_ms: (cpu.user + cpu.system) / 1e3 / photos.length,
  rss_mb: process.resourceUsage().maxRSS / 1024,
}));
