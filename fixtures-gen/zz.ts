import fc from "fast-check";
import { partcloneV1, partcloneV2 } from "./arbitraries.ts";
import { readFileSync, writeFileSync, rmSync } from "node:fs";
let n=0, chk=0, sizes: Record<string,number> = {}; const modes: Record<string,number> = {};
for (const f of fc.sample(fc.oneof(partcloneV2(), partcloneV2(), partcloneV1()), {numRuns: 4000, seed: 77})) {
 const p = f.params; if (p.format==="partclone-v1" ? p.checksumSize===8 : p.byteOrder==="big") continue;
 const used=f.stored.length; 
 const count = p.format==="partclone-v1" ? p.usedError : p.usedBitmapError;
 if (used+count > f.blockCount) continue; // 0.3.47 refuses
 if (f.blockSize % 1) continue;
 writeFileSync("/dev/shm/q.img", f.image); rmSync("/dev/shm/q.raw",{force:true});
 const r = Bun.spawnSync(["/tmp/pc47/RESTORE","-f","0","-q","-B","-W","-L","/dev/shm/ql","-s","/dev/shm/q.img","-O","/dev/shm/q.raw"],{stdout:"ignore",stderr:"pipe"});
 const c = Bun.spawnSync(["timeout","20","/tmp/pc47/CHKIMG","-f","0","-B","-L","/dev/shm/ql","-s","/dev/shm/q.img"],{stdout:"ignore",stderr:"pipe"});
 n++; const key = p.format==="partclone-v1"?"v1":p.checksumMode+" "+p.bitmapMode; modes[key]=(modes[key]??0)+1;
 const raw = readFileSync("/dev/shm/q.raw"); const whole = new Uint8Array(f.deviceSize); whole.set(raw.subarray(0,f.deviceSize));
 const lastPresent = f.present.at(-1)===1; const rel = raw.length===f.deviceSize?"device":raw.length===f.blockSize*f.blockCount?"blocks":"other";
 const k = `${p.format} lastPresent=${lastPresent} tail=${p.tail>0} -> ${rel}`; sizes[k]=(sizes[k]??0)+1;
 const okData = p.format==="partclone-v1" && p.tail>0 ? true : Buffer.compare(whole,f.partition)===0;
 if (r.exitCode!==0 || !okData) console.log("BAD", r.exitCode, okData, f.name, JSON.stringify(p).slice(0,500), r.stderr.toString().slice(-150));
 if (c.exitCode!==0) {chk++; if (chk<8) console.log("chk", c.exitCode, JSON.stringify(p).slice(0,500), c.stderr.toString().slice(-100));}
}
console.log(n, modes, sizes, "chk refused", chk);
