setInterval(()=>postMessage(0),400);
