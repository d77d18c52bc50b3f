// Reads a stream of a NATS server by a consumer, as sparingly as can be: who measures is not to be what is measured.
// run.ts compiles and runs it, one process a round:
//   generator PORT STREAM CONSUMER MESSAGES WORKERS BATCH none|ordered|explicit|confirmed PUBLISHED
// WORKERS connections share the messages of a consumer; with BATCH they ask for so many at a time, without it the server
// delivers to `in0`. Who reads in order asks as the official client in Go does. With PUBLISHED as many messages are
// published meanwhile, each of which is confirmed, and each of the workers reads all of them by a consumer of its own,
// CONSUMER0 and so on.
// Prints the milliseconds that took, and the microseconds of its own processor time.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { readBytesMax = 1 << 18, outBytesMax = 1 << 22, peersMax = 16, payloadBytes = 128 };
// of the publisher: how many messages may be unconfirmed, and how many go out in one write
enum { windowMessages = 4000, publishMessagesMax = 500 };

enum { messageSid = 1, toldSid = 2, infoSid = 3, storedSid = 4 };

typedef struct {
  int socket;
  int number;
  char *in;
  size_t inEnd;
  char *out;
  size_t outStart, outEnd;
  int isBlocked;
  long asked, got, nextSequence;
} Peer;

static const char *stream, *consumer, *acks;
static long messages, batch, published;
static int workers, port, poller;
static Peer peers[peersMax];
static long got, told, tellings, sent, stored;
static int isDone, isAsking, isAcking;
static char payload[payloadBytes + 2];

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static double nowMs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void flush(Peer *peer) {
  while (peer->outStart < peer->outEnd) {
    ssize_t taken = send(peer->socket, peer->out + peer->outStart, peer->outEnd - peer->outStart, MSG_NOSIGNAL);
    if (taken < 0 && errno == EAGAIN) break;
    if (taken < 0) fail("send");
    peer->outStart += taken;
  }
  int isBlocked = peer->outStart < peer->outEnd;
  if (!isBlocked) peer->outStart = peer->outEnd = 0;
  if (isBlocked == peer->isBlocked) return;
  peer->isBlocked = isBlocked;
  struct epoll_event event = {.events = EPOLLIN | (isBlocked ? EPOLLOUT : 0), .data.ptr = peer};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, peer->socket, &event) < 0) fail("epoll_ctl");
}

static void put(Peer *peer, const char *bytes, size_t length) {
  if (peer->outEnd + length > outBytesMax) {
    memmove(peer->out, peer->out + peer->outStart, peer->outEnd - peer->outStart);
    peer->outEnd -= peer->outStart;
    peer->outStart = 0;
  }
  if (peer->outEnd + length > outBytesMax) fail("a server takes nothing");
  memcpy(peer->out + peer->outEnd, bytes, length);
  peer->outEnd += length;
}

__attribute__((format(printf, 2, 3))) static void say(Peer *peer, const char *format, ...) {
  char line[1024];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  put(peer, line, length);
}

// Asks for more in time: one request is always on its way while another is delivered; who reads in order has one batch on
// its way, and asks for the rest of it when half has come.
static void ask(Peer *peer) {
  long left = published > 0 ? messages - peer->got : messages - got;
  int isOrdered = acks[0] == 'o';
  while (batch > 0 && peer->asked <= (isOrdered ? batch / 2 : batch) && left > 0) {
    char body[96];
    long more = isOrdered ? batch - peer->asked : batch;
    const char *beat = isOrdered ? ",\"idle_heartbeat\":15000000000" : "";
    int length = snprintf(body, sizeof body, "{\"batch\":%ld,\"expires\":30000000000%s}", more, beat);
    peer->asked += more;
    say(peer, "PUB $JS.API.CONSUMER.MSG.NEXT.%s.%s", stream, consumer);
    if (published > 0) say(peer, "%d", peer->number);
    say(peer, " in%d %d\r\n%s\r\n", peer->number, length, body);
  }
}

static void publish(Peer *peer) {
  if (peer->outStart < peer->outEnd) return;
  for (int i = 0; i < publishMessagesMax && sent < published && sent - stored < windowMessages; i++) {
    say(peer, "PUB live.one stored.%ld %d\r\n", ++sent, payloadBytes);
    put(peer, payload, sizeof payload);
  }
}

// All have come: what is acknowledged is to have arrived, too.
static void askWhatIsLeft(void) {
  isAsking = 1;
  say(&peers[0], "PUB $JS.API.CONSUMER.INFO.%s.%s info 0\r\n\r\n", stream, consumer);
  flush(&peers[0]);
}

static void end(void) {
  if (published > 0 || !isAcking) isDone = 1;
  else askWhatIsLeft();
}

// Messages come in order, none is left out, none comes twice.
static void checkSequence(Peer *peer, const char *reply, const char *replyEnd) {
  const char *at = reply;
  for (int dots = 0; dots < 5; at++)
    if (at >= replyEnd) fail("a reply has too few tokens");
    else if (*at == '.') dots++;
  long sequence = strtol(at, NULL, 10);
  if (workers > 1 && published == 0 ? sequence < peer->nextSequence : sequence != peer->nextSequence) {
    fprintf(stderr, "message %ld came in place of %ld\n", sequence, peer->nextSequence);
    exit(1);
  }
  peer->nextSequence = sequence + 1;
}

static void onMessage(Peer *peer, const char *reply, const char *replyEnd) {
  checkSequence(peer, reply, replyEnd);
  peer->asked--;
  peer->got++;
  got++;
  if (isAcking) {
    put(peer, "PUB ", 4);
    put(peer, reply, replyEnd - reply);
    if (acks[0] == 'c') say(peer, " told%d.%ld 0\r\n\r\n", peer->number, ++tellings);
    else put(peer, " 0\r\n\r\n", 6);
  }
  if (acks[0] != 'c' && got == (published > 0 ? messages * workers : messages)) end();
}

static void onLine(Peer *peer, const char *line, const char *lineEnd, const char *body, long bytes) {
  // MSG subject sid [reply] bytes, and HMSG with one more number: flow control and statuses
  const char *sid = memchr(line + 5, ' ', lineEnd - line - 5) + 1;
  const char *reply = memchr(sid, ' ', lineEnd - sid) + 1;
  const char *replyEnd = memchr(reply, ' ', lineEnd - reply);
  switch (*sid - '0') {
    case messageSid:
      if (line[0] == 'M') onMessage(peer, reply, replyEnd);
      else if (reply[0] == '$') say(peer, "PUB %.*s 0\r\n\r\n", (int)(replyEnd - reply), reply);
      return;
    case toldSid:
      if (++told == messages) end();
      return;
    case storedSid:
      if (memmem(body, bytes, "\"error\"", 7) != NULL) fail("a publish was refused");
      stored++;
      return;
    case infoSid:
      isDone = memmem(body, bytes, "\"num_ack_pending\":0,", 20) != NULL;
      if (!isDone) askWhatIsLeft();
      return;
  }
}

// Takes one operation; returns where the next begins, NULL while it is not whole.
static const char *take(Peer *peer, const char *start, const char *end) {
  const char *lf = memchr(start, '\n', end - start);
  if (lf == NULL) return NULL;
  if (start[0] == 'P' && start[1] == 'I') say(peer, "PONG\r\n");
  if (start[0] == '-') fprintf(stderr, "%.*s\n", (int)(lf - start), start), exit(1);
  if (start[0] != 'M' && start[0] != 'H') return lf + 1;
  long bytes = 0, unit = 1;
  for (const char *at = lf - 2; *at != ' '; at--, unit *= 10) bytes += (*at - '0') * unit;
  if (lf + 1 + bytes + 2 > end) return NULL;
  onLine(peer, start, lf - 1, lf + 1, bytes);
  return lf + 1 + bytes + 2;
}

static void onReadable(Peer *peer) {
  ssize_t length = recv(peer->socket, peer->in + peer->inEnd, readBytesMax - peer->inEnd, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) fail("recv");
  const char *end = peer->in + peer->inEnd + length, *at = peer->in;
  for (const char *next = take(peer, at, end); next != NULL; next = at < end ? take(peer, at, end) : NULL) at = next;
  peer->inEnd = end - at;
  memmove(peer->in, at, peer->inEnd);
}

static Peer *openPeer(int number) {
  Peer *peer = &peers[number];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  peer->socket = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(peer->socket, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  int one = 1;
  setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(peer->socket, F_SETFL, O_NONBLOCK);
  peer->number = number;
  peer->nextSequence = 1;
  peer->in = malloc(readBytesMax);
  peer->out = malloc(outBytesMax);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, peer->socket, &event) < 0) fail("epoll_ctl");
  say(peer, "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n");
  return peer;
}

int main(int count, char **values) {
  if (count != 9) return fprintf(stderr, "eight arguments\n"), 2;
  port = atoi(values[1]);
  stream = values[2];
  consumer = values[3];
  messages = atol(values[4]);
  workers = atoi(values[5]);
  batch = atol(values[6]);
  acks = values[7];
  published = atol(values[8]);
  isAcking = acks[0] == 'e' || acks[0] == 'c';
  memset(payload, 'x', payloadBytes);
  memcpy(payload + payloadBytes, "\r\n", 2);
  poller = epoll_create1(0);
  for (int i = 0; i < workers; i++) {
    Peer *peer = openPeer(i);
    say(peer, "SUB in%d %d\r\nSUB told%d.* %d\r\nSUB info %d\r\n", i, messageSid, i, toldSid, infoSid);
  }
  Peer *publisher = published > 0 ? openPeer(workers) : NULL;
  if (publisher != NULL) say(publisher, "SUB stored.* %d\r\n", storedSid);
  double startMs = nowMs();
  while (!isDone) {
    for (int i = 0; i < workers; i++) {
      if (!isAsking) ask(&peers[i]);
      flush(&peers[i]);
    }
    if (publisher != NULL) {
      publish(publisher);
      flush(publisher);
    }
    struct epoll_event events[peersMax];
    int ready = epoll_wait(poller, events, peersMax, 20000);
    if (ready < 0) fail("epoll_wait");
    if (ready == 0) return fprintf(stderr, "nothing came for 20 s: %ld of %ld messages, %ld stored\n", got, messages, stored), 1;
    for (int i = 0; i < ready; i++)
      if (events[i].events & EPOLLIN) onReadable(events[i].data.ptr);
  }
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpuUs = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  printf("%.3f %.0f\n", nowMs() - startMs, cpuUs);
  return 0;
}
