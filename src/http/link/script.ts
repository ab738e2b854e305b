// Made by scripts/link-script.ts from browser.ts; do not edit.

/** What a page with a link runs: see browser.ts. */
export const LINK_SCRIPT = `/* With uqr, MIT licence, (c) Project Nayuki, (c) 2023 Anthony Fu */

"use strict";(()=>{var A=(n=>(n[n.Border=-1]="Border",n[n.Data=0]="Data",n[n.Function=1]="Function",n[n.Position=2]="Position",n[n.
Timing=3]="Timing",n[n.Alignment=4]="Alignment",n))(A||{}),J=[0,1],S=[1,0],N=[2,3],F=[3,2],Q={L:J,M:S,Q:N,H:F},
tt=/^\\d*$/,et=/^[A-Z0-9 $%*+./:-]*$/,L="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:",B=1,R=40,_=3,nt=3,v=40,
st=10,T=[[-1,7,10,15,20,26,18,20,24,30,18,20,24,26,30,22,24,28,30,28,28,28,28,30,30,26,28,30,30,30,30,30,30,30,
30,30,30,30,30,30,30],[-1,10,16,26,18,24,16,18,22,22,26,30,22,22,24,24,28,28,26,26,26,26,28,28,28,28,28,28,28,
28,28,28,28,28,28,28,28,28,28,28,28],[-1,13,22,18,26,18,24,18,22,20,24,28,26,24,20,30,24,28,28,26,30,28,30,30,
30,30,28,30,30,30,30,30,30,30,30,30,30,30,30,30,30],[-1,17,28,22,16,22,28,26,26,24,28,24,28,22,24,24,30,28,28,
26,28,30,24,30,30,30,30,30,30,30,30,30,30,30,30,30,30,30,30,30,30]],U=[[-1,1,1,1,1,1,2,2,2,2,4,4,4,4,4,6,6,6,6,
7,8,8,9,9,10,12,12,12,13,14,15,16,17,18,19,19,20,21,22,24,25],[-1,1,1,1,2,2,4,4,4,5,5,5,8,9,9,10,10,11,13,14,16,
17,17,18,20,21,23,25,26,28,29,31,33,35,37,38,40,43,45,47,49],[-1,1,1,2,2,4,4,6,6,8,8,8,10,12,16,12,17,16,18,21,
20,23,23,25,27,29,34,34,35,38,40,43,45,48,51,53,56,59,62,65,68],[-1,1,1,2,4,4,4,5,6,8,8,11,11,16,16,18,16,19,21,
25,25,25,34,30,32,35,37,40,42,45,48,51,54,57,60,63,66,70,74,77,81]],$=class{constructor(t,e,s,o){if(this.version=
t,this.ecc=e,t<B||t>R)throw new RangeError("Version value out of range");if(o<-1||o>7)throw new RangeError("Ma\\
sk value out of range");this.size=t*4+17;let r=Array.from({length:this.size}).fill(!1);for(let a=0;a<this.size;a++)
this.modules.push(r.slice()),this.types.push(r.map(()=>0));this.drawFunctionPatterns();let i=this.addEccAndInterleave(
s);if(this.drawCodewords(i),o===-1){let a=1e9;for(let l=0;l<8;l++){this.applyMask(l),this.drawFormatBits(l);let c=this.
getPenaltyScore();c<a&&(o=l,a=c),this.applyMask(l)}}this.mask=o,this.applyMask(o),this.drawFormatBits(o)}size;mask;modules=[];types=[];getModule(t,e){
return t>=0&&t<this.size&&e>=0&&e<this.size&&this.modules[e][t]}drawFunctionPatterns(){for(let s=0;s<this.size;s++)
this.setFunctionModule(6,s,s%2===0,A.Timing),this.setFunctionModule(s,6,s%2===0,A.Timing);this.drawFinderPattern(
3,3),this.drawFinderPattern(this.size-4,3),this.drawFinderPattern(3,this.size-4);let t=this.getAlignmentPatternPositions(),
e=t.length;for(let s=0;s<e;s++)for(let o=0;o<e;o++)s===0&&o===0||s===0&&o===e-1||s===e-1&&o===0||this.drawAlignmentPattern(
t[s],t[o]);this.drawFormatBits(0),this.drawVersion()}drawFormatBits(t){let e=this.ecc[1]<<3|t,s=e;for(let r=0;r<
10;r++)s=s<<1^(s>>>9)*1335;let o=(e<<10|s)^21522;for(let r=0;r<=5;r++)this.setFunctionModule(8,r,m(o,r));this.
setFunctionModule(8,7,m(o,6)),this.setFunctionModule(8,8,m(o,7)),this.setFunctionModule(7,8,m(o,8));for(let r=9;r<
15;r++)this.setFunctionModule(14-r,8,m(o,r));for(let r=0;r<8;r++)this.setFunctionModule(this.size-1-r,8,m(o,r));
for(let r=8;r<15;r++)this.setFunctionModule(8,this.size-15+r,m(o,r));this.setFunctionModule(8,this.size-8,!0)}drawVersion(){
if(this.version<7)return;let t=this.version;for(let s=0;s<12;s++)t=t<<1^(t>>>11)*7973;let e=this.version<<12|t;
for(let s=0;s<18;s++){let o=m(e,s),r=this.size-11+s%3,i=Math.floor(s/3);this.setFunctionModule(r,i,o),this.setFunctionModule(
i,r,o)}}drawFinderPattern(t,e){for(let s=-4;s<=4;s++)for(let o=-4;o<=4;o++){let r=Math.max(Math.abs(o),Math.abs(
s)),i=t+o,a=e+s;i>=0&&i<this.size&&a>=0&&a<this.size&&this.setFunctionModule(i,a,r!==2&&r!==4,A.Position)}}drawAlignmentPattern(t,e){
for(let s=-2;s<=2;s++)for(let o=-2;o<=2;o++)this.setFunctionModule(t+o,e+s,Math.max(Math.abs(o),Math.abs(s))!==
1,A.Alignment)}setFunctionModule(t,e,s,o=A.Function){this.modules[e][t]=s,this.types[e][t]=o}addEccAndInterleave(t){
let e=this.version,s=this.ecc;if(t.length!==I(e,s))throw new RangeError("Invalid argument");let o=U[s[0]][e],r=T[s[0]][e],
i=Math.floor(C(e)/8),a=o-i%o,l=Math.floor(i/o),c=[],g=ft(r);for(let u=0,P=0;u<o;u++){let b=t.slice(P,P+l-r+(u<
a?0:1));P+=b.length;let Z=dt(b,g);u<a&&b.push(0),c.push(b.concat(Z))}let h=[];for(let u=0;u<c[0].length;u++)c.
forEach((P,b)=>{(u!==l-r||b>=a)&&h.push(P[u])});return h}drawCodewords(t){if(t.length!==Math.floor(C(this.version)/
8))throw new RangeError("Invalid argument");let e=0;for(let s=this.size-1;s>=1;s-=2){s===6&&(s=5);for(let o=0;o<
this.size;o++)for(let r=0;r<2;r++){let i=s-r,l=(s+1&2)===0?this.size-1-o:o;!this.types[l][i]&&e<t.length*8&&(this.
modules[l][i]=m(t[e>>>3],7-(e&7)),e++)}}}applyMask(t){if(t<0||t>7)throw new RangeError("Mask value out of rang\\
e");for(let e=0;e<this.size;e++)for(let s=0;s<this.size;s++){let o;switch(t){case 0:o=(s+e)%2===0;break;case 1:
o=e%2===0;break;case 2:o=s%3===0;break;case 3:o=(s+e)%3===0;break;case 4:o=(Math.floor(s/3)+Math.floor(e/2))%2===
0;break;case 5:o=s*e%2+s*e%3===0;break;case 6:o=(s*e%2+s*e%3)%2===0;break;case 7:o=((s+e)%2+s*e%3)%2===0;break;default:
throw new Error("Unreachable")}!this.types[e][s]&&o&&(this.modules[e][s]=!this.modules[e][s])}}getPenaltyScore(){
let t=0;for(let r=0;r<this.size;r++){let i=!1,a=0,l=[0,0,0,0,0,0,0];for(let c=0;c<this.size;c++)this.modules[r][c]===
i?(a++,a===5?t+=_:a>5&&t++):(this.finderPenaltyAddHistory(a,l),i||(t+=this.finderPenaltyCountPatterns(l)*v),i=
this.modules[r][c],a=1);t+=this.finderPenaltyTerminateAndCount(i,a,l)*v}for(let r=0;r<this.size;r++){let i=!1,
a=0,l=[0,0,0,0,0,0,0];for(let c=0;c<this.size;c++)this.modules[c][r]===i?(a++,a===5?t+=_:a>5&&t++):(this.finderPenaltyAddHistory(
a,l),i||(t+=this.finderPenaltyCountPatterns(l)*v),i=this.modules[c][r],a=1);t+=this.finderPenaltyTerminateAndCount(
i,a,l)*v}for(let r=0;r<this.size-1;r++)for(let i=0;i<this.size-1;i++){let a=this.modules[r][i];a===this.modules[r][i+
1]&&a===this.modules[r+1][i]&&a===this.modules[r+1][i+1]&&(t+=nt)}let e=0;for(let r of this.modules)e=r.reduce(
(i,a)=>i+(a?1:0),e);let s=this.size*this.size,o=Math.ceil(Math.abs(e*20-s*10)/s)-1;return t+=o*st,t}getAlignmentPatternPositions(){
if(this.version===1)return[];{let t=Math.floor(this.version/7)+2,e=this.version===32?26:Math.ceil((this.version*
4+4)/(t*2-2))*2,s=[6];for(let o=this.size-7;s.length<t;o-=e)s.splice(1,0,o);return s}}finderPenaltyCountPatterns(t){
let e=t[1],s=e>0&&t[2]===e&&t[3]===e*3&&t[4]===e&&t[5]===e;return(s&&t[0]>=e*4&&t[6]>=e?1:0)+(s&&t[6]>=e*4&&t[0]>=
e?1:0)}finderPenaltyTerminateAndCount(t,e,s){return t&&(this.finderPenaltyAddHistory(e,s),e=0),e+=this.size,this.
finderPenaltyAddHistory(e,s),this.finderPenaltyCountPatterns(s)}finderPenaltyAddHistory(t,e){e[0]===0&&(t+=this.
size),e.pop(),e.unshift(t)}};function p(n,t,e){if(t<0||t>31||n>>>t)throw new RangeError("Value out of range");
for(let s=t-1;s>=0;s--)e.push(n>>>s&1)}function m(n,t){return(n>>>t&1)!==0}var k=class{constructor(t,e,s){if(this.
mode=t,this.numChars=e,this.bitData=s,e<0)throw new RangeError("Invalid argument");this.bitData=s.slice()}getData(){
return this.bitData.slice()}},ot=[1,10,12,14],rt=[2,9,11,13],it=[4,8,16,16];function O(n,t){return n[Math.floor(
(t+7)/17)+1]}function x(n){let t=[];for(let e of n)p(e,8,t);return new k(it,n.length,t)}function at(n){if(!K(n))
throw new RangeError("String contains non-numeric characters");let t=[];for(let e=0;e<n.length;){let s=Math.min(
n.length-e,3);p(Number.parseInt(n.substring(e,e+s),10),s*3+1,t),e+=s}return new k(ot,n.length,t)}function lt(n){
if(!H(n))throw new RangeError("String contains unencodable characters in alphanumeric mode");let t=[],e;for(e=
0;e+2<=n.length;e+=2){let s=L.indexOf(n.charAt(e))*45;s+=L.indexOf(n.charAt(e+1)),p(s,11,t)}return e<n.length&&
p(L.indexOf(n.charAt(e)),6,t),new k(rt,n.length,t)}function ct(n){return n===""?[]:K(n)?[at(n)]:H(n)?[lt(n)]:[
x(ut(n))]}function K(n){return tt.test(n)}function H(n){return et.test(n)}function ht(n,t){let e=0;for(let s of n){
let o=O(s.mode,t);if(s.numChars>=1<<o)return Number.POSITIVE_INFINITY;e+=4+o+s.bitData.length}return e}function ut(n){
n=encodeURI(n);let t=[];for(let e=0;e<n.length;e++)n.charAt(e)!=="%"?t.push(n.charCodeAt(e)):(t.push(Number.parseInt(
n.substring(e+1,e+3),16)),e+=2);return t}function C(n){if(n<B||n>R)throw new RangeError("Version number out of\\
 range");let t=(16*n+128)*n+64;if(n>=2){let e=Math.floor(n/7)+2;t-=(25*e-10)*e-55,n>=7&&(t-=36)}return t}function I(n,t){
return Math.floor(C(n)/8)-T[t[0]][n]*U[t[0]][n]}function ft(n){if(n<1||n>255)throw new RangeError("Degree out \\
of range");let t=[];for(let s=0;s<n-1;s++)t.push(0);t.push(1);let e=1;for(let s=0;s<n;s++){for(let o=0;o<t.length;o++)
t[o]=z(t[o],e),o+1<t.length&&(t[o]^=t[o+1]);e=z(e,2)}return t}function dt(n,t){let e=t.map(s=>0);for(let s of n){
let o=s^e.shift();e.push(0),t.forEach((r,i)=>e[i]^=z(r,o))}return e}function z(n,t){if(n>>>8||t>>>8)throw new RangeError(
"Byte out of range");let e=0;for(let s=7;s>=0;s--)e=e<<1^(e>>>7)*285,e^=(t>>>s&1)*n;return e}function gt(n,t,e=1,s=40,o=-1,r=!0){
if(!(B<=e&&e<=s&&s<=R)||o<-1||o>7)throw new RangeError("Invalid value");let i,a;for(i=e;;i++){let h=I(i,t)*8,u=ht(
n,i);if(u<=h){a=u;break}if(i>=s)throw new RangeError("Data too long")}for(let h of[S,N,F])r&&a<=I(i,h)*8&&(t=h);
let l=[];for(let h of n){p(h.mode[0],4,l),p(h.numChars,O(h.mode,i),l);for(let u of h.getData())l.push(u)}let c=I(
i,t)*8;p(0,Math.min(4,c-l.length),l),p(0,(8-l.length%8)%8,l);for(let h=236;l.length<c;h^=253)p(h,8,l);let g=Array.
from({length:Math.ceil(l.length/8)},()=>0);return l.forEach((h,u)=>g[u>>>3]|=h<<7-(u&7)),new $(i,t,g,o)}function G(n,t){
let{ecc:e="L",boostEcc:s=!1,minVersion:o=1,maxVersion:r=40,maskPattern:i=-1,border:a=1}=t||{},l=typeof n=="str\\
ing"?ct(n):Array.isArray(n)?[x(n)]:void 0;if(!l)throw new Error(\`uqr only supports encoding string and binary \\
data, but got: \${typeof n}\`);let c=gt(l,Q[e],o,r,i,s),g=mt({version:c.version,maskPattern:c.mask,size:c.size,data:c.
modules,types:c.types},a);return t?.invert&&(g.data=g.data.map(h=>h.map(u=>!u))),t?.onEncoded?.(g),g}function mt(n,t=1){
if(!t)return n;let{size:e}=n,s=e+t*2;n.size=s,n.data.forEach(r=>{for(let i=0;i<t;i++)r.unshift(!1),r.push(!1)});
for(let r=0;r<t;r++)n.data.unshift(Array.from({length:s},i=>!1)),n.data.push(Array.from({length:s},i=>!1));let o=A.
Border;n.types.forEach(r=>{for(let i=0;i<t;i++)r.unshift(o),r.push(o)});for(let r=0;r<t;r++)n.types.unshift(Array.
from({length:s},i=>o)),n.types.push(Array.from({length:s},i=>o));return n}var f=class extends Error{name="LinkError"},M=n=>Math.ceil(n*4/3),pt=M(24),wt=M(32),Y=M(32),Et=M(44),W=M(68),yt=M(
1158),At=/^[\\w.~%=&?/,;:@+-]*$/,bt=/^(?:[\\w-]+(?:\\.[\\w-]+)*|\\[?[\\da-fA-F.]*:[\\da-fA-F:.]*\\]?)$/,Mt=/^\\d{1,5}(?:-\\d{1,5})?$/,
Pt=/^smp:\\/\\/(?<hash>[^@/]+)@(?<hosts>[^@/]+?)(?::\\d{1,5})?\\/[\\w-]+=*\\/?#\\/?\\?(?<query>[^#?]*)$/;function w(n,t,e){
let s=t?.replace(/=+$/,"")??"";if(s==="")throw new f(\`Its \${n} is missing.\`);if(!/^[\\w-]+$/.test(s))throw new f(
\`Its \${n} contains a character that does not belong there.\`);if(s.length!==e)throw new f(\`Its \${n} has \${s.length}\\
 characters, but \${e} belong there.\`)}function j(n){if(!n.every(t=>bt.test(t)))throw new f("The host of its re\\
lay is none.")}function kt(n,t){let e=t.split("/");if(n==="i"&&w("link id",e.shift(),pt),w("key",e.shift(),wt),
e.length>0)throw new f("It has more parts than such a link has.")}function vt(n,{hostname:t},e){let[s="",o="",
...r]=e.split("?");if(r.length>0)throw new f("It has more parts than such a link has.");kt(n,s);let i=new URLSearchParams(
o);w("relay's fingerprint (c=...)",i.get("c"),Y);let a=i.get("p");if(a!==null&&!/^[1-9]\\d{0,4}$/.test(a))throw new f(
"The port of its relay is none.");let l=i.get("h")?.split(",")??[],c=[t.replace(/^\\[|\\]$/g,""),...l.filter(h=>h!==
"")];j(c);let g=o.split("&").filter(h=>!h.startsWith("h="));return{web:\`https://\${t}/\${n}#\${e}\`,app:\`simplex:/\${n}\\
#\${s}?\${[\`h=\${encodeURIComponent(c.join(","))}\`,...g].join("&")}\`,hosts:c,isGroup:!1}}function It(n){let t=Pt.
exec(n)?.groups;if(!t)throw new f("The address of its queue is damaged.");w("relay's fingerprint",t.hash,Y),w(
"queue's key",new URLSearchParams(t.query).get("dh"),Et);let e=t.hosts?.split(",")??[];return j(e),e}function Lt(n){
let t=new URLSearchParams(n),e=t.get("x3dh")?.split(",")??[];w("first encryption key",e[0],W),w("second encryp\\
tion key",e[1],W),t.has("kem_key")&&w("post-quantum key",t.get("kem_key"),yt)}function $t(n,{host:t},e){if(!e.
startsWith("/?"))throw new f("Its beginning is missing.");let s=new URLSearchParams(e.slice(2));if(!Mt.test(s.
get("v")??""))throw new f("Its version is missing.");let o=(s.get("smp")??"").split(";").map(It);return n==="i\\
nvitation"&&Lt(s.get("e2e")??""),{web:\`https://\${t}/\${n}#\${e}\`,app:\`simplex:/\${n}#\${e}\`,hosts:o[0]??[],isGroup:/"groupLinkId" *: *"/.
test(s.get("data")??"")}}function D(n){let t=n.hash.slice(1);if(t==="")return null;if(!At.test(t))throw new f(
"It contains a character that does not belong into a link.");let e=n.pathname.replaceAll("/","");return e.length===
1?vt(e,n,t):$t(e,n,t)}var Ct=4,zt=1273;function d(n){let t=document.getElementById(n);if(!t)throw new Error(\`the page has no element\\
 '\${n}'\`);return t}function y(n,t){d(n).toggleAttribute("hidden",!t)}function Bt(n){return n.flatMap((t,e)=>t.
map((s,o)=>{if(!s||t[o-1])return"";let r=t.indexOf(!1,o),i=(r<0?t.length:r)-o;return\`M\${o} \${e}h\${i}v1h-\${i}z\`})).
join("")}function Rt(n){let t=n.length<=zt;if(y("modules",t),y("scan",t),y("too-long",!t),!t){d("length").textContent=
String(n.length);return}let{data:e,size:s}=G(n,{ecc:"L",boostEcc:!0,border:Ct});d("modules").setAttribute("vie\\
wBox",\`0 0 \${s} \${s}\`),d("dark").setAttribute("d",Bt(e))}function q({web:n,app:t}){let e=d("as-app").checked?t:
n;d("address").textContent=e,Rt(e)}function _t(n){let t=n.includes(location.hostname.replace(/^\\[|\\]$/g,""));return\`\${n.
join(", ")} (\${t?"this relay":"another relay than this one"})\`}function St(n){q(n),d("open").setAttribute("hre\\
f",n.app),d("here").setAttribute("href",\`/app/#\${n.app}\`),d("relay").textContent=_t(n.hosts),document.getElementById(
"group")&&(y("group",n.isGroup),y("contact",!n.isGroup))}var E=null;function V(){let n="";try{E=D(location)}catch(t){
if(!(t instanceof f))throw t;E=null,n=t.message}E&&St(E);for(let t of["link","code","where","relay"])y(t,E!==null);
y("damaged",n!==""),y("incomplete",E===null&&n===""),d("fault").textContent=n}function X(){E&&q(E)}d("as-web").
addEventListener("change",X);d("as-app").addEventListener("change",X);window.addEventListener("hashchange",V);
V();})();
`;
