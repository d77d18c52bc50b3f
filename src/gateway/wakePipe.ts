import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** Most bytes that are read of it at a time: there are more only where a broker of before has left some. */
const readBytes = 64;

/** Listens to the pipe by which a thread is woken. It does not keep the thread alive, and is closed with it. */
export function listenToPipe(descriptor: number, onRung: () => void): void {
  const callback = (): boolean => {
    onRung();
    return true;
  };
  const options: SocketConstructorOpts & Pick<ConnectOpts, 'onread'> = {
    fd: descriptor,
    readable: true,
    writable: false,
    onread: { buffer: Buffer.alloc(readBytes), callback },
  };
  new Socket(options).unref();
}
