// SPDX-License-Identifier: Apache-2.0
// A small web service on node: node hello.js PORT
const http = require('http');
let hits = 0;
http.createServer((request, response) => {
  response.end(`hello from pid ${process.pid}, hit ${++hits}\n`);
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
