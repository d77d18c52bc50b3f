;; The inner loops of the broker, over memory that the thread's gateway reads into and sends from, or that its journal writes from. See
;; docs/decisions/0010, 0032 and 0040.
;; All parameters are addresses, in bytes, or counts; whoever calls has checked that what is written fits.
;; src/base/kernelBytes.ts is this file compiled: `npx vitest run test/base/kernelBytes.test.ts --update` writes it, without the flag it compares.
(module
  (import "shardcast" "memory" (memory 1))

  ;; Whether $length bytes, at least four, are the same at two places.
  (func $same (param $a i32) (param $b i32) (param $length i32) (result i32)
    (local $i i32)
    (local $last i32)
    (if (i32.lt_u (local.get $length) (i32.const 8))
      (then
        (local.set $last (i32.sub (local.get $length) (i32.const 4)))
        (return
          (i32.and
            (i32.eq (i32.load (local.get $a)) (i32.load (local.get $b)))
            (i32.eq
              (i32.load (i32.add (local.get $a) (local.get $last)))
              (i32.load (i32.add (local.get $b) (local.get $last))))))))
    (local.set $last (i32.sub (local.get $length) (i32.const 8)))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $last))
        (then
          (if (i64.ne (i64.load (i32.add (local.get $a) (local.get $i))) (i64.load (i32.add (local.get $b) (local.get $i))))
            (then (return (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 8)))
          (br $next))))
    (i64.eq (i64.load (i32.add (local.get $a) (local.get $last))) (i64.load (i32.add (local.get $b) (local.get $last)))))

  ;; Writes $size in decimal and CR LF; returns how many bytes.
  (func $writeSize (param $at i32) (param $size i32) (result i32)
    (local $digits i32)
    (local $rest i32)
    (local.set $rest (local.get $size))
    (loop $count
      (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
      (local.set $rest (i32.div_u (local.get $rest) (i32.const 10)))
      (br_if $count (local.get $rest)))
    (local.set $at (i32.add (local.get $at) (local.get $digits)))
    (i32.store16 (local.get $at) (i32.const 0x0a0d))
    (loop $write
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $size) (i32.const 10))))
      (local.set $size (i32.div_u (local.get $size) (i32.const 10)))
      (br_if $write (local.get $size)))
    (i32.add (local.get $digits) (i32.const 2)))

  ;; The eight decimal digits of $number, which is below 10^8, a byte each from 0 to 9, the first in the lowest byte. Halves, quarters
  ;; and digits are divided side by side, in 32, 16 and 8 bits: x * 109951163 >> 40 is x / 10^4 for x below 10^8, x * 10486 >> 20 is
  ;; x / 100 for x below 10^4, x * 103 >> 10 is x / 10 for x below 100.
  (func $digits (param $number i64) (result i64)
    (local $parts i64)
    (local $high i64)
    (local.set $high (i64.shr_u (i64.mul (local.get $number) (i64.const 109951163)) (i64.const 40)))
    (local.set $parts
      (i64.or
        (local.get $high)
        (i64.shl (i64.sub (local.get $number) (i64.mul (local.get $high) (i64.const 10000))) (i64.const 32))))
    (local.set $high
      (i64.and
        (i64.shr_u (i64.mul (local.get $parts) (i64.const 10486)) (i64.const 20))
        (i64.const 0x0000007f0000007f)))
    (local.set $parts
      (i64.or
        (local.get $high)
        (i64.shl (i64.sub (local.get $parts) (i64.mul (local.get $high) (i64.const 100))) (i64.const 16))))
    (local.set $high
      (i64.and
        (i64.shr_u (i64.mul (local.get $parts) (i64.const 103)) (i64.const 10))
        (i64.const 0x000f000f000f000f)))
    (i64.or
      (local.get $high)
      (i64.shl (i64.sub (local.get $parts) (i64.mul (local.get $high) (i64.const 10))) (i64.const 8))))

  ;; $number / 10^8, for less than 2^34, where this takes a fraction of a division: 10^8 is 2^8 * 390625, and 90071993 / 2^45 is
  ;; 1 / 390625 near enough for what is left of $number then.
  (func $hundredMillions (param $number i64) (result i64)
    (i64.shr_u (i64.mul (i64.shr_u (local.get $number) (i64.const 8)) (i64.const 90071993)) (i64.const 45)))

  ;; Writes $number in decimal; returns the address behind it, from where on up to seven bytes are overwritten.
  (func $writeNumber (param $at i32) (param $number i64) (result i32)
    (local $rest i64)
    (local $digits i64)
    (local $zeroBits i64)
    (if (i64.ge_u (local.get $number) (i64.const 100000000))
      (then
        (local.set $rest
          (if (result i64) (i64.lt_u (local.get $number) (i64.const 0x400000000))
            (then (call $hundredMillions (local.get $number)))
            (else (i64.div_u (local.get $number) (i64.const 100000000)))))
        (local.set $at (call $writeNumber (local.get $at) (local.get $rest)))
        (i64.store
          (local.get $at)
          (i64.add
            (call $digits (i64.sub (local.get $number) (i64.mul (local.get $rest) (i64.const 100000000))))
            (i64.const 0x3030303030303030)))
        (return (i32.add (local.get $at) (i32.const 8)))))
    (local.set $digits (call $digits (local.get $number)))
    ;; leading zeros are not written, but for the last digit
    (local.set $zeroBits
      (i64.and (i64.ctz (i64.or (local.get $digits) (i64.const 0x0100000000000000))) (i64.const 0x78)))
    (i64.store
      (local.get $at)
      (i64.shr_u (i64.add (local.get $digits) (i64.const 0x3030303030303030)) (local.get $zeroBits)))
    (i32.sub (i32.add (local.get $at) (i32.const 8)) (i32.wrap_i64 (i64.shr_u (local.get $zeroBits) (i64.const 3)))))

  ;; Writes $seconds and $nanoseconds as one number of nanoseconds; returns the address behind it, from where on up to seven bytes are
  ;; overwritten.
  (func $writeTime (param $at i32) (param $seconds i64) (param $nanoseconds i64) (result i32)
    (local $first i64)
    (if (i64.eqz (local.get $seconds))
      (then (return (call $writeNumber (local.get $at) (local.get $nanoseconds)))))
    (local.set $at (call $writeNumber (local.get $at) (local.get $seconds)))
    ;; all nine digits
    (local.set $first (call $hundredMillions (local.get $nanoseconds)))
    (i32.store8 (local.get $at) (i32.add (i32.wrap_i64 (local.get $first)) (i32.const 48)))
    (i64.store offset=1
      (local.get $at)
      (i64.add
        (call $digits (i64.sub (local.get $nanoseconds) (i64.mul (local.get $first) (i64.const 100000000))))
        (i64.const 0x3030303030303030)))
    (i32.add (local.get $at) (i32.const 9)))

  ;; Writes the five numbers that an acknowledgement's subject ends with, dots between them: of the six at $numbers, which are whole,
  ;; below 2^53 and eight bytes each, seconds and nanoseconds are one. Returns the address behind them, from where on up to eight bytes
  ;; are overwritten.
  (func $writeAckNumbers (param $at i32) (param $numbers i32) (result i32)
    (local $end i32)
    (local $number i64)
    (local.set $end (i32.add (local.get $numbers) (i32.const 48)))
    (loop $next
      (local.set $number (i64.trunc_f64_s (f64.load (local.get $numbers))))
      (if (i32.eq (i32.sub (local.get $end) (local.get $numbers)) (i32.const 24))
        (then
          (local.set $numbers (i32.add (local.get $numbers) (i32.const 8)))
          (local.set $at
            (call $writeTime (local.get $at) (local.get $number) (i64.trunc_f64_s (f64.load (local.get $numbers))))))
        (else
          (if (i64.lt_u (local.get $number) (i64.const 10))
            (then
              (i32.store8 (local.get $at) (i32.add (i32.wrap_i64 (local.get $number)) (i32.const 48)))
              (local.set $at (i32.add (local.get $at) (i32.const 1))))
            (else (local.set $at (call $writeNumber (local.get $at) (local.get $number)))))))
      (i32.store8 (local.get $at) (i32.const 46))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $numbers (i32.add (local.get $numbers) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $numbers) (local.get $end))))
    (i32.sub (local.get $at) (i32.const 1)))

  ;; Copies in steps of sixteen bytes, one at least, that do not mind the end; returns the address behind the last byte.
  (func $copy (param $to i32) (param $from i32) (param $length i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $to) (local.get $length)))
    (loop $more
      (v128.store (local.get $to) (v128.load (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $more (i32.lt_u (local.get $to) (local.get $end))))
    (local.get $end))

  ;; Writes the line of a delivery to an address: at $sid the sid between two spaces, at $text the subject that is shown, and behind that
  ;; the reply up to its numbers, if any.
  ;; Returns the address behind the line, from where on up to sixteen bytes are overwritten.
  (func $encodeAddressed (export "encodeAddressed")
    (param $to i32) (param $sid i32) (param $sidBytes i32) (param $text i32) (param $subjectBytes i32) (param $replyBytes i32)
    (param $headerBytes i32) (param $messageBytes i32) (param $numbers i32)
    (result i32)
    (if (local.get $headerBytes)
      (then
        (i32.store8 (local.get $to) (i32.const 72))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))))
    (i32.store (local.get $to) (i32.const 0x2047534d))
    (local.set $to (call $copy (i32.add (local.get $to) (i32.const 4)) (local.get $text) (local.get $subjectBytes)))
    (local.set $to (call $copy (local.get $to) (local.get $sid) (local.get $sidBytes)))
    (if (local.get $replyBytes)
      (then
        (local.set $to (call $copy (local.get $to) (i32.add (local.get $text) (local.get $subjectBytes)) (local.get $replyBytes)))
        (local.set $to (call $writeAckNumbers (local.get $to) (local.get $numbers)))
        (i32.store8 (local.get $to) (i32.const 32))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))))
    (if (local.get $headerBytes)
      (then
        (local.set $to (call $writeNumber (local.get $to) (i64.extend_i32_u (local.get $headerBytes))))
        (i32.store8 (local.get $to) (i32.const 32))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))))
    (local.set $to (call $writeNumber (local.get $to) (i64.extend_i32_u (local.get $messageBytes))))
    (i32.store16 (local.get $to) (i32.const 0x0a0d))
    (i32.add (local.get $to) (i32.const 2)))

  ;; Writes messages of a run to an address (src/base/shownRun.ts), the first at $at, each by what it shows; at $sid the sid between two
  ;; spaces. Headers are left out unless $headers is set. Returns the address behind the last, from where on up to sixteen bytes are
  ;; overwritten.
  (func (export "encodeShownRun")
    (param $to i32) (param $at i32) (param $count i32) (param $sid i32) (param $sidBytes i32) (param $headers i32)
    (result i32)
    (local $subjectBytes i32)
    (local $replyBytes i32)
    (local $headerBytes i32)
    (local $messageBytes i32)
    (local $numbers i32)
    (local $text i32)
    (local $message i32)
    (loop $next
      (local.set $subjectBytes (i32.load (local.get $at)))
      (local.set $replyBytes (i32.load offset=4 (local.get $at)))
      (local.set $headerBytes (i32.load offset=8 (local.get $at)))
      (local.set $messageBytes (i32.load offset=12 (local.get $at)))
      (local.set $numbers (i32.add (local.get $at) (i32.const 24)))
      (local.set $text (i32.add (local.get $at) (i32.load offset=16 (local.get $at))))
      (local.set $message
        (i32.add (local.get $numbers) (select (i32.const 48) (i32.const 0) (local.get $replyBytes))))
      ;; its own text stands before it
      (if (i32.gt_u (local.get $text) (local.get $at))
        (then (local.set $message (i32.add (i32.add (local.get $text) (local.get $subjectBytes)) (local.get $replyBytes)))))
      (local.set $at
        (i32.and (i32.add (i32.add (local.get $message) (local.get $messageBytes)) (i32.const 9)) (i32.const -8)))
      (if (i32.eqz (local.get $headers))
        (then
          (local.set $message (i32.add (local.get $message) (local.get $headerBytes)))
          (local.set $messageBytes (i32.sub (local.get $messageBytes) (local.get $headerBytes)))
          (local.set $headerBytes (i32.const 0))))
      (local.set $to
        (call $encodeAddressed
          (local.get $to) (local.get $sid) (local.get $sidBytes) (local.get $text) (local.get $subjectBytes) (local.get $replyBytes)
          (local.get $headerBytes) (local.get $messageBytes) (local.get $numbers)))
      (local.set $messageBytes (i32.add (local.get $messageBytes) (i32.const 2)))
      (if (i32.gt_u (local.get $messageBytes) (i32.const 256))
        (then
          (memory.copy (local.get $to) (local.get $message) (local.get $messageBytes))
          (local.set $to (i32.add (local.get $to) (local.get $messageBytes))))
        (else (local.set $to (call $copy (local.get $to) (local.get $message) (local.get $messageBytes)))))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $to))

  ;; Lays records of a journal (src/log/entryLayout.ts) as messages of a run to an address (src/base/shownRun.ts) from $to on, and below
  ;; $end: $count at most, of those that were brought here those whose indices stand at $indices; the table at $starts says where the entry
  ;; of each begins from $base. Each shows the subject that it was stored under, and the reply up to its numbers at $reply; the numbers are
  ;; those of a first delivery: $delivery is the consumer's sequence of the first one that was brought, and $pending what is left behind
  ;; it. A subject that repeats is laid once.
  ;; Returns how many were laid. At $sums stand then where they end, up to sixteen bytes from where on are overwritten, what their headers
  ;; and payloads have, their subjects, and the longest of these, in bytes.
  (func (export "layShown")
    (param $to i32) (param $end i32) (param $indices i32) (param $starts i32) (param $base i32) (param $count i32)
    (param $reply i32) (param $replyBytes i32) (param $delivery f64) (param $pending f64) (param $sums i32)
    (result i32)
    (local $laid i32)
    (local $index i32)
    (local $entry i32)
    (local $subject i32)
    (local $subjectBytes i32)
    (local $bodyBytes i32)
    (local $text i32)
    (local $textSubjectBytes i32)
    (local $isShown i32)
    (local $behind i32)
    (local $time i64)
    (local $wholeSeconds i64)
    (local $seconds f64)
    (local $nanoseconds f64)
    (local $messagesBytes i32)
    (local $subjectsBytes i32)
    (local $longest i32)
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $laid) (local.get $count)))
        (local.set $index (i32.load (local.get $indices)))
        (local.set $entry
          (i32.add
            (local.get $base)
            (i32.load (i32.add (local.get $starts) (i32.shl (local.get $index) (i32.const 2))))))
        (local.set $subject (i32.add (local.get $entry) (i32.const 40)))
        (local.set $subjectBytes (i32.load16_u offset=6 (local.get $entry)))
        ;; with CR LF
        (local.set $bodyBytes
          (i32.sub (i32.load (local.get $entry)) (i32.add (local.get $subjectBytes) (i32.const 40))))
        (local.set $isShown
          (call $showsSame
            (local.get $text) (local.get $textSubjectBytes) (local.get $subject) (local.get $subjectBytes)))
        (local.set $behind (i32.add (i32.add (local.get $to) (local.get $bodyBytes)) (i32.const 79)))
        (if (i32.eqz (local.get $isShown))
          (then
            (local.set $behind
              (i32.add (local.get $behind) (i32.add (local.get $subjectBytes) (local.get $replyBytes))))))
        (local.set $behind (i32.and (local.get $behind) (i32.const -8)))
        (br_if $done (i32.gt_u (local.get $behind) (local.get $end)))
        (if (i64.ne (i64.load offset=24 (local.get $entry)) (local.get $time))
          (then
            (local.set $time (i64.load offset=24 (local.get $entry)))
            (local.set $wholeSeconds (i64.div_u (local.get $time) (i64.const 1000000)))
            (local.set $seconds (f64.convert_i64_u (local.get $wholeSeconds)))
            (local.set $nanoseconds
              (f64.convert_i64_u
                (i64.mul
                  (i64.sub (local.get $time) (i64.mul (local.get $wholeSeconds) (i64.const 1000000)))
                  (i64.const 1000))))))
        (i32.store (local.get $to) (local.get $subjectBytes))
        (i32.store offset=4 (local.get $to) (local.get $replyBytes))
        (i32.store offset=8 (local.get $to) (i32.load offset=32 (local.get $entry)))
        (i32.store offset=12 (local.get $to) (i32.sub (local.get $bodyBytes) (i32.const 2)))
        (f64.store offset=24 (local.get $to) (f64.const 1))
        (f64.store offset=32 (local.get $to) (f64.convert_i64_u (i64.load offset=16 (local.get $entry))))
        (f64.store offset=40
          (local.get $to)
          (f64.add (local.get $delivery) (f64.convert_i32_u (local.get $index))))
        (f64.store offset=48 (local.get $to) (local.get $seconds))
        (f64.store offset=56 (local.get $to) (local.get $nanoseconds))
        (f64.store offset=64
          (local.get $to)
          (f64.sub (local.get $pending) (f64.convert_i32_u (local.get $index))))
        (if (local.get $isShown)
          (then
            (i32.store offset=16 (local.get $to) (i32.sub (local.get $text) (local.get $to)))
            (local.set $to (i32.add (local.get $to) (i32.const 72))))
          (else
            (i32.store offset=16 (local.get $to) (i32.const 72))
            (local.set $text (i32.add (local.get $to) (i32.const 72)))
            (local.set $textSubjectBytes (local.get $subjectBytes))
            (local.set $to
              (call $copy
                (call $copy (local.get $text) (local.get $subject) (local.get $subjectBytes))
                (local.get $reply)
                (local.get $replyBytes)))))
        (local.set $subject (i32.add (local.get $subject) (local.get $subjectBytes)))
        (if (i32.gt_u (local.get $bodyBytes) (i32.const 256))
          (then (memory.copy (local.get $to) (local.get $subject) (local.get $bodyBytes)))
          (else (drop (call $copy (local.get $to) (local.get $subject) (local.get $bodyBytes)))))
        (local.set $messagesBytes
          (i32.add (local.get $messagesBytes) (i32.sub (local.get $bodyBytes) (i32.const 2))))
        (local.set $subjectsBytes (i32.add (local.get $subjectsBytes) (local.get $subjectBytes)))
        (local.set $longest
          (select
            (local.get $subjectBytes)
            (local.get $longest)
            (i32.gt_u (local.get $subjectBytes) (local.get $longest))))
        (local.set $to (local.get $behind))
        (local.set $indices (i32.add (local.get $indices) (i32.const 4)))
        (local.set $laid (i32.add (local.get $laid) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $sums) (local.get $to))
    (i32.store offset=4 (local.get $sums) (local.get $messagesBytes))
    (i32.store offset=8 (local.get $sums) (local.get $subjectsBytes))
    (i32.store offset=12 (local.get $sums) (local.get $longest))
    (local.get $laid))

  ;; Whether the subject that stands at $text, if any does, is the one at $subject.
  (func $showsSame (param $text i32) (param $textBytes i32) (param $subject i32) (param $subjectBytes i32) (result i32)
    (if (i32.or
          (i32.ne (local.get $textBytes) (local.get $subjectBytes))
          (i32.or (i32.eqz (local.get $text)) (i32.lt_u (local.get $subjectBytes) (i32.const 4))))
      (then (return (i32.const 0))))
    (call $same (local.get $text) (local.get $subject) (local.get $subjectBytes)))

  ;; Writes messages as deliveries: the line whose first $prefixBytes stand at $line (with room for the size behind them), then
  ;; the message and the CR LF behind it. Message i is [$starts[i], $ends[i]) from $base. Returns the address behind the last.
  ;; Copies go in steps of sixteen bytes and do not mind the end: up to 32 bytes behind the last are written, too.
  (func (export "encodeRun")
    (param $to i32) (param $line i32) (param $prefixBytes i32) (param $base i32) (param $starts i32) (param $ends i32) (param $count i32)
    (result i32)
    (local $size i32)
    (local $start i32)
    (local $messageBytes i32)
    (local $lineBytes i32)
    (local $from i32)
    (local $end i32)
    (local $line0 v128)
    (local $line1 v128)
    (local.set $size (i32.const -1))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $start (i32.load (local.get $starts)))
        (local.set $messageBytes (i32.sub (i32.load (local.get $ends)) (local.get $start)))
        (if (i32.ne (local.get $messageBytes) (local.get $size))
          (then
            (local.set $size (local.get $messageBytes))
            (local.set $lineBytes
              (i32.add
                (local.get $prefixBytes)
                (call $writeSize (i32.add (local.get $line) (local.get $prefixBytes)) (local.get $size))))
            (local.set $line0 (v128.load (local.get $line)))
            (local.set $line1 (v128.load offset=16 (local.get $line)))))
        ;; most lines are no longer than what is kept in two registers
        (v128.store (local.get $to) (local.get $line0))
        (v128.store offset=16 (local.get $to) (local.get $line1))
        (local.set $end (i32.add (local.get $to) (local.get $lineBytes)))
        (if (i32.gt_u (local.get $lineBytes) (i32.const 32))
          (then
            (local.set $from (i32.add (local.get $line) (i32.const 32)))
            (local.set $to (i32.add (local.get $to) (i32.const 32)))
            (loop $more
              (v128.store (local.get $to) (v128.load (local.get $from)))
              (local.set $from (i32.add (local.get $from) (i32.const 16)))
              (local.set $to (i32.add (local.get $to) (i32.const 16)))
              (br_if $more (i32.lt_u (local.get $to) (local.get $end))))))
        (local.set $to (local.get $end))
        (local.set $from (i32.add (local.get $base) (local.get $start)))
        (local.set $messageBytes (i32.add (local.get $messageBytes) (i32.const 2)))
        (local.set $end (i32.add (local.get $to) (local.get $messageBytes)))
        (if (i32.gt_u (local.get $messageBytes) (i32.const 256))
          (then (memory.copy (local.get $to) (local.get $from) (local.get $messageBytes)))
          (else
            (loop $more
              (v128.store (local.get $to) (v128.load (local.get $from)))
              (local.set $from (i32.add (local.get $from) (i32.const 16)))
              (local.set $to (i32.add (local.get $to) (i32.const 16)))
              (br_if $more (i32.lt_u (local.get $to) (local.get $end))))))
        (local.set $to (local.get $end))
        (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
        (local.set $ends (i32.add (local.get $ends) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (local.get $to))

  ;; Whether a plan holds: it is of this generation, and nothing has changed that it was made of.
  (func $holds (param $plan i32) (param $generation i32) (result i32)
    (i32.and
      (i32.eq (i32.load (local.get $plan)) (local.get $generation))
      (i32.eq (i32.load (i32.load offset=4 (local.get $plan))) (i32.load offset=8 (local.get $plan)))))

  ;; Whether all outputs of a plan have room for a message.
  (func $hasRoom (param $plan i32) (param $size i32) (result i32)
    (local $part i32)
    (local $parts i32)
    (local $output i32)
    (local.set $part (i32.add (local.get $plan) (i32.load offset=24 (local.get $plan))))
    (local.set $parts (i32.load offset=20 (local.get $plan)))
    (if (i32.eqz (local.get $parts)) (then (return (i32.const 1))))
    (loop $next
      (local.set $output (i32.load (local.get $part)))
      (if
        (i32.gt_u
          (i32.add
            (i32.add (i32.load (local.get $output)) (i32.load offset=8 (local.get $part)))
            (i32.mul (i32.load offset=4 (local.get $part)) (local.get $size)))
          (i32.load offset=4 (local.get $output)))
        (then (return (i32.const 0))))
      (local.set $part (i32.add (local.get $part) (i32.load offset=12 (local.get $part))))
      (br_if $next (local.tee $parts (i32.sub (local.get $parts) (i32.const 1)))))
    (i32.const 1))

  ;; A plan is used: the first time since that was last asked it is noted.
  (func $use (param $plan i32) (param $state i32)
    (if
      (i32.eqz (i32.or (i32.load offset=12 (local.get $plan)) (i32.load offset=36 (local.get $plan))))
      (then
        (i32.store
          (i32.add (i32.load offset=16 (local.get $state)) (i32.shl (i32.load offset=12 (local.get $state)) (i32.const 2)))
          (i32.load offset=16 (local.get $plan)))
        (i32.store offset=12 (local.get $state) (i32.add (i32.load offset=12 (local.get $state)) (i32.const 1))))))

  ;; Writes a message to all outputs of a plan, which have room for it: behind each line the $sizeBytes of $sizeText, at most eight, and the
  ;; $bytes at $message, of which its headers and payload are $size. Copies go in steps of sixteen bytes and do not mind the end.
  (func $deliver
    (param $plan i32) (param $state i32) (param $sizeText i64) (param $sizeBytes i32) (param $message i32) (param $bytes i32)
    (param $size i32)
    (local $part i32)
    (local $parts i32)
    (local $output i32)
    (local $heads i32)
    (local $line i32)
    (local $lineBytes i32)
    (local $to i32)
    (local $end i32)
    (local $from i32)
    (local $messages i32)
    (call $use (local.get $plan) (local.get $state))
    (i32.store offset=12 (local.get $plan) (i32.add (i32.load offset=12 (local.get $plan)) (i32.const 1)))
    (local.set $part (i32.add (local.get $plan) (i32.load offset=24 (local.get $plan))))
    (local.set $parts (i32.load offset=20 (local.get $plan)))
    (if (i32.eqz (local.get $parts)) (then (return)))
    (loop $write
      (local.set $output (i32.load (local.get $part)))
      (local.set $heads (i32.load offset=4 (local.get $part)))
      (local.set $messages (i32.load offset=8 (local.get $output)))
      (if (i32.eqz (local.get $messages))
        (then
          (i32.store
            (i32.add (i32.load offset=8 (local.get $state)) (i32.shl (i32.load offset=4 (local.get $state)) (i32.const 2)))
            (local.get $output))
          (i32.store offset=4 (local.get $state) (i32.add (i32.load offset=4 (local.get $state)) (i32.const 1)))))
      (i32.store offset=8 (local.get $output) (i32.add (local.get $messages) (local.get $heads)))
      (i32.store offset=12 (local.get $output)
        (i32.add (i32.load offset=12 (local.get $output)) (i32.mul (local.get $heads) (local.get $size))))
      (i32.store (local.get $state) (i32.add (i32.load (local.get $state)) (local.get $heads)))
      (local.set $to (i32.load (local.get $output)))
      (local.set $line (i32.add (local.get $part) (i32.const 16)))
      (loop $head
        (local.set $lineBytes (i32.load (local.get $line)))
        (local.set $from (i32.add (local.get $line) (i32.const 4)))
        (local.set $line (i32.add (local.get $from) (i32.and (i32.add (local.get $lineBytes) (i32.const 3)) (i32.const -4))))
        (local.set $end (i32.add (local.get $to) (local.get $lineBytes)))
        (loop $more
          (v128.store (local.get $to) (v128.load (local.get $from)))
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $more (i32.lt_u (local.get $to) (local.get $end))))
        (i64.store (local.get $end) (local.get $sizeText))
        (local.set $to (i32.add (local.get $end) (local.get $sizeBytes)))
        (local.set $from (local.get $message))
        (local.set $end (i32.add (local.get $to) (local.get $bytes)))
        (if (i32.gt_u (local.get $bytes) (i32.const 256))
          (then (memory.copy (local.get $to) (local.get $from) (local.get $bytes)))
          (else
            (loop $more
              (v128.store (local.get $to) (v128.load (local.get $from)))
              (local.set $from (i32.add (local.get $from) (i32.const 16)))
              (local.set $to (i32.add (local.get $to) (i32.const 16)))
              (br_if $more (i32.lt_u (local.get $to) (local.get $end))))))
        (local.set $to (local.get $end))
        (br_if $head (local.tee $heads (i32.sub (local.get $heads) (i32.const 1)))))
      (i32.store (local.get $output) (local.get $to))
      (local.set $part (i32.add (local.get $part) (i32.load offset=12 (local.get $part))))
      (br_if $write (local.tee $parts (i32.sub (local.get $parts) (i32.const 1))))))

  ;; Whether a message of a plan that holds may be published: it is known what becomes of it, and outputs and block have room.
  (func $mayPublish (param $plan i32) (param $size i32) (result i32)
    (local $block i32)
    (if (i32.eqz (i32.load offset=32 (local.get $plan))) (then (return (i32.const 0))))
    (local.set $block (i32.load offset=44 (local.get $plan)))
    (if (local.get $block)
      (then
        (if
          (i32.gt_u
            (i32.add (i32.load (local.get $block)) (i32.and (i32.add (local.get $size) (i32.const 13)) (i32.const -4)))
            (i32.load offset=4 (local.get $block)))
          (then (return (i32.const 0))))))
    (if (i32.eq (i32.load offset=32 (local.get $plan)) (i32.const 2)) (then (return (i32.const 1))))
    (call $hasRoom (local.get $plan) (local.get $size)))

  ;; Lays a message, which stands at $payload with CR LF behind it, out in the block of a plan (src/exchange/mixedBlock.ts), which has room for it.
  (func $lay (param $plan i32) (param $payload i32) (param $size i32)
    (local $block i32)
    (local $to i32)
    (local $end i32)
    (local $used i32)
    (local $stretches i32)
    (local $stretch i32)
    (local.set $block (i32.load offset=44 (local.get $plan)))
    (local.set $used (i32.load (local.get $block)))
    (local.set $to (i32.add (local.get $block) (i32.add (local.get $used) (i32.const 32))))
    (i32.store (local.get $to) (i32.load offset=40 (local.get $plan)))
    (i32.store offset=4 (local.get $to) (local.get $size))
    (local.set $used (i32.add (local.get $used) (i32.and (i32.add (local.get $size) (i32.const 13)) (i32.const -4))))
    (i32.store (local.get $block) (local.get $used))
    (local.set $stretches (i32.load offset=8 (local.get $block)))
    (local.set $stretch
      (i32.add (local.get $block) (i32.add (i32.const 16468) (i32.mul (local.get $stretches) (i32.const 12)))))
    (if
      (i32.or
        (i32.eqz (local.get $stretches))
        (i32.ne (i32.load (local.get $stretch)) (i32.load offset=48 (local.get $plan))))
      (then
        (local.set $stretch (i32.add (local.get $stretch) (i32.const 12)))
        (i32.store offset=8 (local.get $block) (i32.add (local.get $stretches) (i32.const 1)))
        (i32.store (local.get $stretch) (i32.load offset=48 (local.get $plan)))
        (i32.store offset=8 (local.get $stretch) (i32.const 0))))
    (i32.store offset=4 (local.get $stretch) (local.get $used))
    (i32.store offset=8 (local.get $stretch) (i32.add (i32.load offset=8 (local.get $stretch)) (i32.const 1)))
    (local.set $to (i32.add (local.get $to) (i32.const 8)))
    (local.set $end (i32.add (local.get $to) (i32.add (local.get $size) (i32.const 2))))
    (loop $more
      (v128.store (local.get $to) (v128.load (local.get $payload)))
      (local.set $payload (i32.add (local.get $payload) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $more (i32.lt_u (local.get $to) (local.get $end)))))

  ;; Copies what a block (src/exchange/mixedBlock.ts) has for a gateway to $to: stretches whose targets have it in their sets (src/exchange/targets.ts),
  ;; the first of which is at $sets. Copies go in steps of sixteen bytes and do not mind the end. Returns the address behind the last byte; how many messages
  ;; these are stands in the block.
  (func (export "splitBlock")
    (param $block i32) (param $sets i32) (param $gateway i32) (param $to i32)
    (result i32)
    (local $bit i32)
    (local $stretch i32)
    (local $last i32)
    (local $from i32)
    (local $end i32)
    (local $messages i32)
    (local $toEnd i32)
    (local.set $bit (i32.shl (i32.const 1) (i32.and (local.get $gateway) (i32.const 7))))
    (local.set $sets (i32.add (local.get $sets) (i32.shr_u (local.get $gateway) (i32.const 3))))
    (local.set $from (i32.add (local.get $block) (i32.const 32)))
    (local.set $stretch (i32.add (local.get $block) (i32.const 16480)))
    (local.set $last
      (i32.add (local.get $stretch) (i32.mul (i32.load offset=8 (local.get $block)) (i32.const 12))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $stretch) (local.get $last)))
        (local.set $end
          (i32.add (local.get $block) (i32.add (i32.load offset=4 (local.get $stretch)) (i32.const 32))))
        (if
          (i32.and
            (i32.load8_u (i32.add (local.get $sets) (i32.shl (i32.load (local.get $stretch)) (i32.const 5))))
            (local.get $bit))
          (then
            (local.set $messages (i32.add (local.get $messages) (i32.load offset=8 (local.get $stretch))))
            (local.set $toEnd (i32.add (local.get $to) (i32.sub (local.get $end) (local.get $from))))
            (loop $more
              (v128.store (local.get $to) (v128.load (local.get $from)))
              (local.set $from (i32.add (local.get $from) (i32.const 16)))
              (local.set $to (i32.add (local.get $to) (i32.const 16)))
              (br_if $more (i32.lt_u (local.get $to) (local.get $toEnd))))
            (local.set $to (local.get $toEnd))))
        (local.set $from (local.get $end))
        (local.set $stretch (i32.add (local.get $stretch) (i32.const 12)))
        (br $next)))
    (i32.store offset=12 (local.get $block) (local.get $messages))
    (local.get $to))

  ;; Puts a message in order that may be published: it is delivered here and laid out for others, or laid out for whoever puts it in order.
  (func $publish
    (param $plan i32) (param $state i32) (param $sizeText i64) (param $sizeBytes i32) (param $message i32) (param $bytes i32)
    (param $payload i32) (param $size i32)
    (if (i32.load offset=44 (local.get $plan))
      (then (call $lay (local.get $plan) (local.get $payload) (local.get $size))))
    (if (i32.eq (i32.load offset=32 (local.get $plan)) (i32.const 2))
      (then
        (call $use (local.get $plan) (local.get $state))
        (i32.store offset=36 (local.get $plan) (i32.const 1))
        (i32.store offset=40 (local.get $state) (i32.add (i32.load offset=40 (local.get $state)) (i32.const 1)))
        (return)))
    (i32.store offset=56 (local.get $plan) (i32.add (i32.load offset=56 (local.get $plan)) (i32.const 1)))
    (call $deliver
      (local.get $plan) (local.get $state) (local.get $sizeText) (local.get $sizeBytes) (local.get $message) (local.get $bytes)
      (local.get $size)))

  ;; Encodes the messages of a mixed run (src/exchange/records/mixedRun.ts), the first at $at, $count at most, by the plans of their topics.
  ;; How these, the table that leads to them, outputs and the state lie in memory is drawn in src/gateway/mixed/. Publishes them if $publishes, and
  ;; else delivers them: they are in order. Stops at a message whose topic's plan is not known or does not hold any more, or whose outputs have no
  ;; room. Returns where that begins.
  (func (export "encodeMixed")
    (param $at i32) (param $count i32) (param $table i32) (param $mask i32) (param $generation i32) (param $state i32) (param $publishes i32)
    (result i32)
    (local $slot i32)
    (local $size i32)
    (local $sizeBytes i32)
    (local $payload i32)
    (local $entry i32)
    (local $plan i32)
    (block $done
      (loop $message
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $slot (i32.load (local.get $at)))
        (local.set $size (i32.load offset=4 (local.get $at)))
        (local.set $entry (i32.add (local.get $table) (i32.shl (i32.and (local.get $slot) (local.get $mask)) (i32.const 3))))
        (br_if $done (i32.ne (i32.load (local.get $entry)) (i32.add (local.get $slot) (i32.const 1))))
        (local.set $plan (i32.load offset=4 (local.get $entry)))
        (br_if $done (i32.eqz (call $holds (local.get $plan) (local.get $generation))))
        (br_if $done
          (i32.and (local.get $publishes) (i32.ne (i32.load offset=32 (local.get $plan)) (i32.const 1))))
        ;; all of it, or nothing
        (br_if $done
          (i32.eqz
            (if (result i32) (local.get $publishes)
              (then (call $mayPublish (local.get $plan) (local.get $size)))
              (else (call $hasRoom (local.get $plan) (local.get $size))))))
        (local.set $sizeBytes (call $writeSize (i32.add (local.get $state) (i32.const 32)) (local.get $size)))
        (local.set $payload (i32.add (local.get $at) (i32.const 8)))
        (if (local.get $publishes)
          (then
            (call $publish
              (local.get $plan) (local.get $state) (i64.load offset=32 (local.get $state)) (local.get $sizeBytes)
              (local.get $payload) (i32.add (local.get $size) (i32.const 2)) (local.get $payload) (local.get $size)))
          (else
            (call $deliver
              (local.get $plan) (local.get $state) (i64.load offset=32 (local.get $state)) (local.get $sizeBytes)
              (local.get $payload) (i32.add (local.get $size) (i32.const 2)) (local.get $size))))
        (local.set $at
          (i32.add (local.get $at) (i32.and (i32.add (local.get $size) (i32.const 13)) (i32.const -4))))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $message)))
    ;; how many are left
    (i32.store offset=20 (local.get $state) (local.get $count))
    (local.get $at))

  ;; Spreads each bit of a word over those above it, and these over those below.
  (func $mix (param $word i64) (result i64)
    (local.set $word (i64.mul (local.get $word) (i64.const 0x9e3779b97f4a7c15)))
    (i64.xor (local.get $word) (i64.shr_u (local.get $word) (i64.const 32))))

  ;; The first $length bytes, less than eight, of a word.
  (func $firstBytes (param $word i64) (param $length i32) (result i64)
    (i64.and
      (local.get $word)
      (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (i32.shl (local.get $length) (i32.const 3)))) (i64.const 1))))

  ;; A seeded hash of a subject: clients choose subjects, and must not be able to choose collisions.
  (func $hashSubject (param $at i32) (param $length i32) (param $seed i64) (result i64)
    (local $last i32)
    (local.set $seed (i64.xor (local.get $seed) (i64.extend_i32_u (local.get $length))))
    (if (i32.lt_u (local.get $length) (i32.const 8))
      (then
        (return
          (call $mix
            (call $mix (i64.xor (local.get $seed) (call $firstBytes (i64.load (local.get $at)) (local.get $length))))))))
    ;; the last word may overlap the one before it
    (local.set $last (i32.add (local.get $at) (i32.sub (local.get $length) (i32.const 8))))
    (loop $next
      (local.set $seed (call $mix (i64.xor (local.get $seed) (i64.load (local.get $at)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $last))))
    ;; subjects differ most in their last bytes, which are the highest of a word: twice, so that they tell in all of its bits
    (call $mix (call $mix (i64.xor (local.get $seed) (i64.load (local.get $last))))))

  ;; Where the eight entries of known topics are that a hash leads to.
  (func $entriesOf (param $known i32) (param $hash i64) (result i32)
    (i32.add
      (i32.load offset=8 (local.get $known))
      (i32.shl
        (i32.and (i32.wrap_i64 (i64.shr_u (local.get $hash) (i64.const 40))) (i32.load offset=12 (local.get $known)))
        (i32.const 6))))

  ;; Whether a plan is that of a subject.
  (func $isOf (param $plan i32) (param $subject i32) (param $length i32) (result i32)
    (if (i32.ne (i32.load offset=28 (local.get $plan)) (local.get $length)) (then (return (i32.const 0))))
    (local.set $plan (i32.add (local.get $plan) (i32.const 60)))
    (if (i32.lt_u (local.get $length) (i32.const 8))
      (then
        (return
          (i64.eqz
            (call $firstBytes (i64.xor (i64.load (local.get $plan)) (i64.load (local.get $subject))) (local.get $length))))))
    (call $same (local.get $plan) (local.get $subject) (local.get $length)))

  ;; Enters a plan among the known topics: in the place of one that is none any more, else of any.
  (func (export "learnTopic") (param $plan i32) (param $known i32)
    (local $hash i64)
    (local $tag i32)
    (local $entry i32)
    (local $end i32)
    (local.set $hash
      (call $hashSubject
        (i32.add (local.get $plan) (i32.const 60)) (i32.load offset=28 (local.get $plan)) (i64.load (local.get $known))))
    (local.set $tag (i32.or (i32.wrap_i64 (local.get $hash)) (i32.const 1)))
    (local.set $entry (call $entriesOf (local.get $known) (local.get $hash)))
    (local.set $end (i32.add (local.get $entry) (i32.const 64)))
    (block $found
      (loop $next
        (br_if $found (i32.eqz (i32.load (local.get $entry))))
        ;; it was retired
        (br_if $found (i32.eqz (i32.load (i32.load offset=4 (local.get $entry)))))
        (br_if $next (i32.lt_u (local.tee $entry (i32.add (local.get $entry) (i32.const 8))) (local.get $end))))
      (local.set $entry
        (i32.sub (local.get $end) (i32.add (i32.and (local.get $tag) (i32.const 56)) (i32.const 8)))))
    (i32.store (local.get $entry) (local.get $tag))
    (i32.store offset=4 (local.get $entry) (local.get $plan)))

  ;; Publishes messages whose lines are plain, `PUB <subject> <size>`, and which are there as a whole before $end, the first at $at, $count
  ;; at most, by the plans of their topics; how known topics lie in memory is drawn in src/gateway/mixed/layout.ts. Stops at whatever is not
  ;; plain, at a topic that is not known, and at one whose plan does not hold any more, or whose outputs have no room: that plan is then told
  ;; with the message's size. Stops, too, behind $budget deliveries, and where one topic comes so often in succession that it is better read
  ;; as a run. Returns where the first message begins that was not published.
  (func (export "publishKnown")
    (param $at i32) (param $end i32) (param $count i32) (param $budget i32) (param $known i32) (param $generation i32) (param $state i32)
    (result i32)
    (local $subject i32)
    (local $length i32)
    (local $blanks i32)
    (local $word v128)
    (local $from i32)
    (local $digits i32)
    (local $digit i32)
    (local $size i32)
    (local $next i32)
    (local $hash i64)
    (local $tag i32)
    (local $entry i32)
    (local $entries i32)
    (local $plan i32)
    (local $last i32)
    (local $repeats i32)
    (local $payloads i32)
    (i32.store offset=24 (local.get $state) (i32.const 0))
    (block $done
      (loop $message
        (br_if $done (i32.eqz (local.get $count)))
        ;; `PUB a 0`, CR LF, CR LF
        (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 11)) (local.get $end)))
        (br_if $done (i32.ne (i32.or (i32.load (local.get $at)) (i32.const 0x00202020)) (i32.const 0x20627570)))
        (local.set $subject (i32.add (local.get $at) (i32.const 4)))
        (local.set $from (local.get $subject))
        (block $found
          (loop $more
            (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
            (local.set $word (v128.load (local.get $from)))
            (local.set $blanks
              (i8x16.bitmask
                (v128.or
                  (i8x16.le_u (local.get $word) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
                  (i8x16.eq (local.get $word) (v128.const i8x16 127 127 127 127 127 127 127 127 127 127 127 127 127 127 127 127)))))
            (br_if $found (local.get $blanks))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (br $more)))
        (local.set $from (i32.add (local.get $from) (i32.ctz (local.get $blanks))))
        (local.set $length (i32.sub (local.get $from) (local.get $subject)))
        (br_if $done (i32.eqz (local.get $length)))
        (br_if $done (i32.gt_u (local.get $length) (i32.load offset=20 (local.get $known))))
        (br_if $done (i32.ne (i32.load8_u (local.get $from)) (i32.const 32)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $size (i32.const 0))
        (local.set $digits (i32.const 0))
        (block $sized
          (loop $more
            (local.set $digit
              (i32.sub (i32.load8_u (i32.add (local.get $from) (local.get $digits))) (i32.const 48)))
            (br_if $sized (i32.gt_u (local.get $digit) (i32.const 9)))
            (br_if $done (i32.eq (local.get $digits) (i32.const 4)))
            (local.set $size (i32.add (i32.mul (local.get $size) (i32.const 10)) (local.get $digit)))
            (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
            (br $more)))
        (br_if $done (i32.eqz (local.get $digits)))
        ;; as it stands there it is written: with zeros before it it is not
        (br_if $done
          (i32.and (i32.gt_u (local.get $digits) (i32.const 1)) (i32.eq (i32.load8_u (local.get $from)) (i32.const 48))))
        (br_if $done (i32.gt_u (local.get $size) (i32.load offset=16 (local.get $known))))
        (local.set $next
          (i32.add (i32.add (local.get $from) (local.get $digits)) (i32.add (local.get $size) (i32.const 4))))
        (br_if $done (i32.gt_u (local.get $next) (local.get $end)))
        (br_if $done
          (i32.ne (i32.load16_u (i32.add (local.get $from) (local.get $digits))) (i32.const 0x0a0d)))
        (br_if $done (i32.ne (i32.load16_u (i32.sub (local.get $next) (i32.const 2))) (i32.const 0x0a0d)))
        (local.set $hash (call $hashSubject (local.get $subject) (local.get $length) (i64.load (local.get $known))))
        (local.set $tag (i32.or (i32.wrap_i64 (local.get $hash)) (i32.const 1)))
        (local.set $entry (call $entriesOf (local.get $known) (local.get $hash)))
        (local.set $entries (i32.add (local.get $entry) (i32.const 64)))
        (block $found
          (loop $look
            (if (i32.eq (i32.load (local.get $entry)) (local.get $tag))
              (then
                (local.set $plan (i32.load offset=4 (local.get $entry)))
                (br_if $found (call $isOf (local.get $plan) (local.get $subject) (local.get $length)))))
            (br_if $look (i32.lt_u (local.tee $entry (i32.add (local.get $entry) (i32.const 8))) (local.get $entries))))
          (br $done))
        (i32.store offset=24 (local.get $state) (local.get $plan))
        (i32.store offset=28 (local.get $state) (local.get $size))
        (br_if $done (i32.eqz (call $holds (local.get $plan) (local.get $generation))))
        (br_if $done (i32.eqz (call $mayPublish (local.get $plan) (local.get $size))))
        (i32.store offset=24 (local.get $state) (i32.const 0))
        (local.set $repeats
          (select (i32.add (local.get $repeats) (i32.const 1)) (i32.const 0) (i32.eq (local.get $plan) (local.get $last))))
        (br_if $done (i32.eq (local.get $repeats) (i32.const 16)))
        (local.set $last (local.get $plan))
        (call $publish
          (local.get $plan) (local.get $state) (i64.const 0) (i32.const 0)
          (local.get $from) (i32.sub (local.get $next) (local.get $from))
          (i32.sub (local.get $next) (i32.add (local.get $size) (i32.const 2))) (local.get $size))
        (local.set $payloads (i32.add (local.get $payloads) (local.get $size)))
        (local.set $at (local.get $next))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br_if $message (i32.lt_u (i32.load (local.get $state)) (local.get $budget)))))
    ;; how many are left
    (i32.store offset=20 (local.get $state) (local.get $count))
    (i32.store offset=44 (local.get $state) (local.get $payloads))
    (i32.store offset=48 (local.get $state) (local.get $last))
    (local.get $at))

  ;; The sum of what lies between $count words at $starts and as many at $ends, $count being a multiple of eight and not 0.
  (func (export "sumLengths") (param $starts i32) (param $ends i32) (param $count i32) (result i32)
    (local $some v128)
    (local $others v128)
    (local $last i32)
    (local.set $last (i32.add (local.get $starts) (i32.shl (local.get $count) (i32.const 2))))
    (loop $more
      (local.set $some
        (i32x4.add (local.get $some) (i32x4.sub (v128.load (local.get $ends)) (v128.load (local.get $starts)))))
      (local.set $others
        (i32x4.add
          (local.get $others)
          (i32x4.sub (v128.load offset=16 (local.get $ends)) (v128.load offset=16 (local.get $starts)))))
      (local.set $ends (i32.add (local.get $ends) (i32.const 32)))
      (br_if $more (i32.lt_u (local.tee $starts (i32.add (local.get $starts) (i32.const 32))) (local.get $last))))
    (local.set $some (i32x4.add (local.get $some) (local.get $others)))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $some)) (i32x4.extract_lane 1 (local.get $some)))
      (i32.add (i32x4.extract_lane 2 (local.get $some)) (i32x4.extract_lane 3 (local.get $some)))))

  ;; The first message, from $index to $count, in whose headers block `Nats-Trace-Dest:` stands; $count when there is none. The blocks lie
  ;; $base behind the positions at $starts and are as long as $lengths says. Few have a D where the name would have it: that is looked for.
  (func (export "findTraced")
    (param $starts i32) (param $lengths i32) (param $index i32) (param $count i32) (param $base i32) (result i32)
    (local $start i32)
    (local $length i32)
    (local $end i32)
    (local $at i32)
    (local $letter v128)
    (local $found v128)
    (local.set $letter (v128.const i8x16 68 68 68 68 68 68 68 68 68 68 68 68 68 68 68 68))
    (block $done
      ;; most are too short for it: four at a time
      (block $long
        (loop $short
          (br_if $long
            (v128.any_true
              (i32x4.gt_u
                (v128.load (i32.add (local.get $lengths) (i32.shl (local.get $index) (i32.const 2))))
                (v128.const i32x4 27 27 27 27))))
          (br_if $short
            (i32.lt_u (local.tee $index (i32.add (local.get $index) (i32.const 4))) (local.get $count))))
        (return (local.get $count)))
      (loop $message
        (br_if $done (i32.ge_u (local.get $index) (local.get $count)))
        (block $next
          (local.set $length (i32.load (i32.add (local.get $lengths) (i32.shl (local.get $index) (i32.const 2)))))
          ;; a version, the name, and two line ends
          (br_if $next (i32.lt_u (local.get $length) (i32.const 28)))
          (local.set $start
            (i32.add
              (local.get $base)
              (i32.load (i32.add (local.get $starts) (i32.shl (local.get $index) (i32.const 2))))))
          ;; four bytes of the name stand behind its D, and eleven before; what is read before the block is its line
          (local.set $end (i32.sub (i32.add (local.get $start) (local.get $length)) (i32.const 36)))
          (local.set $at (i32.add (local.get $start) (i32.const 12)))
          (local.set $found
            (v128.or
              (i8x16.eq (v128.load (local.get $end)) (local.get $letter))
              (i8x16.eq (v128.load offset=16 (local.get $end)) (local.get $letter))))
          (block $seen
            (loop $more
              (br_if $seen (i32.ge_s (local.get $at) (local.get $end)))
              (local.set $found
                (v128.or
                  (local.get $found)
                  (v128.or
                    (i8x16.eq (v128.load (local.get $at)) (local.get $letter))
                    (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $letter)))))
              (local.set $at (i32.add (local.get $at) (i32.const 32)))
              (br $more)))
          (br_if $next (i32.eqz (v128.any_true (local.get $found))))
          (br_if $done (call $hasTraceName (local.get $start) (local.get $length))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $message)))
    (local.get $index))

  ;; Whether the name stands in the $length bytes at $at.
  (func $hasTraceName (param $at i32) (param $length i32) (result i32)
    (local $last i32)
    (local.set $last (i32.sub (i32.add (local.get $at) (local.get $length)) (i32.const 16)))
    (loop $more
      (if (i8x16.all_true
          (i8x16.eq
            (v128.load (local.get $at))
            (v128.const i8x16 78 97 116 115 45 84 114 97 99 101 45 68 101 115 116 58)))
        (then (return (i32.const 1))))
      (br_if $more (i32.le_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $last))))
    (i32.const 0))

  ;; Reads messages that begin with the same $prefixBytes as the one at $first (`PUB <subject> `) and are there as a whole before
  ;; $end, the first at $next; notes where each lies, from $base, as number $index and following, up to $max. Returns how many
  ;; there are then.
  (func (export "extendRun")
    (param $first i32) (param $prefixBytes i32) (param $next i32) (param $end i32) (param $base i32)
    (param $starts i32) (param $ends i32) (param $index i32) (param $max i32) (param $payloadBytesMax i32)
    (result i32)
    (local $at i32)
    (local $size i32)
    (local $digits i32)
    (local $digit i32)
    (local $payloadEnd i32)
    (block $done
      (loop $message
        (br_if $done (i32.ge_u (local.get $index) (local.get $max)))
        (local.set $at (i32.add (local.get $next) (local.get $prefixBytes)))
        ;; a digit, CR LF, nothing, CR LF
        (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 5)) (local.get $end)))
        (br_if $done (i32.eqz (call $same (local.get $first) (local.get $next) (local.get $prefixBytes))))
        (local.set $size (i32.const 0))
        (local.set $digits (i32.const 0))
        (block $sized
          (loop $more
            (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
            (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
            (br_if $sized (i32.gt_u (local.get $digit) (i32.const 9)))
            (br_if $sized (i32.eq (local.get $digits) (i32.const 9)))
            (local.set $size (i32.add (i32.mul (local.get $size) (i32.const 10)) (local.get $digit)))
            (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $more)))
        (br_if $done (i32.eqz (local.get $digits)))
        (br_if $done (i32.gt_u (local.get $size) (local.get $payloadBytesMax)))
        (local.set $payloadEnd (i32.add (i32.add (local.get $at) (i32.const 2)) (local.get $size)))
        (br_if $done (i32.gt_u (i32.add (local.get $payloadEnd) (i32.const 2)) (local.get $end)))
        (br_if $done (i32.ne (i32.load16_u (local.get $at)) (i32.const 0x0a0d)))
        (br_if $done (i32.ne (i32.load16_u (local.get $payloadEnd)) (i32.const 0x0a0d)))
        (i32.store
          (i32.add (local.get $starts) (i32.shl (local.get $index) (i32.const 2)))
          (i32.sub (i32.add (local.get $at) (i32.const 2)) (local.get $base)))
        (i32.store
          (i32.add (local.get $ends) (i32.shl (local.get $index) (i32.const 2)))
          (i32.sub (local.get $payloadEnd) (local.get $base)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (local.set $next (i32.add (local.get $payloadEnd) (i32.const 2)))
        (br $message)))
    (local.get $index))

  ;; Writes messages as encodeRun does, with a reply each if $replies, and headers if $headers: 1 writes them, 2 leaves them out. The
  ;; tables of starts, ends, starts and ends of replies, and lengths of headers stand from $positions on, $tableBytes each.
  (func (export "encodeFullRun")
    (param $to i32) (param $line i32) (param $prefixBytes i32) (param $base i32) (param $positions i32) (param $tableBytes i32)
    (param $count i32) (param $replies i32) (param $headers i32)
    (result i32)
    (local $start i32)
    (local $messageBytes i32)
    (local $headerBytes i32)
    (local $replyStart i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $start (i32.load (local.get $positions)))
        (local.set $messageBytes
          (i32.sub (i32.load (i32.add (local.get $positions) (local.get $tableBytes))) (local.get $start)))
        (if (local.get $headers)
          (then
            (local.set $headerBytes
              (i32.load (i32.add (local.get $positions) (i32.shl (local.get $tableBytes) (i32.const 2)))))
            (if (i32.eq (local.get $headers) (i32.const 1))
              (then
                (i32.store8 (local.get $to) (i32.const 72))
                (local.set $to (i32.add (local.get $to) (i32.const 1))))
              (else
                (local.set $start (i32.add (local.get $start) (local.get $headerBytes)))
                (local.set $messageBytes (i32.sub (local.get $messageBytes) (local.get $headerBytes)))))))
        (local.set $to (call $copy (local.get $to) (local.get $line) (local.get $prefixBytes)))
        (if (local.get $replies)
          (then
            (local.set $replyStart
              (i32.load (i32.add (local.get $positions) (i32.shl (local.get $tableBytes) (i32.const 1)))))
            (local.set $to
              (call $copy
                (local.get $to)
                (i32.add (local.get $base) (local.get $replyStart))
                (i32.sub
                  (i32.load (i32.add (local.get $positions) (i32.mul (local.get $tableBytes) (i32.const 3))))
                  (local.get $replyStart))))
            (i32.store8 (local.get $to) (i32.const 32))
            (local.set $to (i32.add (local.get $to) (i32.const 1)))))
        (if (i32.eq (local.get $headers) (i32.const 1))
          (then
            (local.set $to (call $writeNumber (local.get $to) (i64.extend_i32_u (local.get $headerBytes))))
            (i32.store8 (local.get $to) (i32.const 32))
            (local.set $to (i32.add (local.get $to) (i32.const 1)))))
        (local.set $to (i32.add (local.get $to) (call $writeSize (local.get $to) (local.get $messageBytes))))
        (local.set $start (i32.add (local.get $base) (local.get $start)))
        (local.set $messageBytes (i32.add (local.get $messageBytes) (i32.const 2)))
        (if (i32.gt_u (local.get $messageBytes) (i32.const 256))
          (then
            (memory.copy (local.get $to) (local.get $start) (local.get $messageBytes))
            (local.set $to (i32.add (local.get $to) (local.get $messageBytes))))
          (else (local.set $to (call $copy (local.get $to) (local.get $start) (local.get $messageBytes)))))
        (local.set $positions (i32.add (local.get $positions) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (local.get $to))

  ;; Where the first word from $at on ends: at a blank, a control byte or DEL, or at $end. Up to fifteen bytes behind $end are read.
  (func $wordEnd (param $at i32) (param $end i32) (result i32)
    (local $bytes v128)
    (local $stops i32)
    (block $found
      (loop $more
        (br_if $found (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $bytes (v128.load (local.get $at)))
        (local.set $stops
          (i8x16.bitmask
            (v128.or
              (i8x16.le_u (local.get $bytes) (i8x16.splat (i32.const 32)))
              (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 127))))))
        (if (local.get $stops)
          (then
            (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $stops))))
            (br $found)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $more)))
    (select (local.get $end) (local.get $at) (i32.gt_u (local.get $at) (local.get $end))))

  ;; Where the number read last ends.
  (global $numberEnd (mut i32) (i32.const 0))

  ;; Reads a decimal number of at most nine digits before $end; -1 when there is none.
  (func $readNumber (param $at i32) (param $end i32) (result i32)
    (local $first i32)
    (local $number i32)
    (local $digit i32)
    (local.set $first (local.get $at))
    (block $ended
      (loop $more
        (br_if $ended (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
        (br_if $ended (i32.gt_u (local.get $digit) (i32.const 9)))
        (br_if $ended (i32.eq (i32.sub (local.get $at) (local.get $first)) (i32.const 9)))
        (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 10)) (local.get $digit)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $more)))
    (global.set $numberEnd (local.get $at))
    (select (i32.const -1) (local.get $number) (i32.eq (local.get $at) (local.get $first))))

  ;; Reads messages as extendRun does, that have a reply each if $replies, and headers if $headers (`PUB <subject> <reply> <size>`,
  ;; `HPUB <subject> <reply> <headers> <size>`; 2 is for lines that say `0` there), in lines of at most $lineBytesMax up to their ends. The tables are those of encodeFullRun.
  (func (export "extendFullRun")
    (param $first i32) (param $prefixBytes i32) (param $next i32) (param $end i32) (param $base i32)
    (param $positions i32) (param $tableBytes i32) (param $index i32) (param $max i32)
    (param $payloadBytesMax i32) (param $lineBytesMax i32) (param $replies i32) (param $headers i32)
    (result i32)
    (local $at i32)
    (local $size i32)
    (local $wordStart i32)
    (local $headerBytes i32)
    (local $payloadEnd i32)
    (local $entry i32)
    (local.set $entry (i32.add (local.get $positions) (i32.shl (local.get $index) (i32.const 2))))
    (block $done
      (loop $message
        (br_if $done (i32.ge_u (local.get $index) (local.get $max)))
        (local.set $at (i32.add (local.get $next) (local.get $prefixBytes)))
        (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 5)) (local.get $end)))
        (br_if $done (i32.eqz (call $same (local.get $first) (local.get $next) (local.get $prefixBytes))))
        (if (local.get $replies)
          (then
            (local.set $wordStart (local.get $at))
            (local.set $at (call $wordEnd (local.get $at) (local.get $end)))
            (br_if $done (i32.eq (local.get $at) (local.get $wordStart)))
            (br_if $done (i32.eq (local.get $at) (local.get $end)))
            (br_if $done (i32.ne (i32.load8_u (local.get $at)) (i32.const 32)))
            (i32.store
              (i32.add (local.get $entry) (i32.shl (local.get $tableBytes) (i32.const 1)))
              (i32.sub (local.get $wordStart) (local.get $base)))
            (i32.store
              (i32.add (local.get $entry) (i32.mul (local.get $tableBytes) (i32.const 3)))
              (i32.sub (local.get $at) (local.get $base)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))))
        (if (i32.eq (local.get $headers) (i32.const 2))
          (then
            (br_if $done (i32.ne (i32.load16_u (local.get $at)) (i32.const 0x2030)))
            (local.set $at (i32.add (local.get $at) (i32.const 2)))))
        (if (i32.eq (local.get $headers) (i32.const 1))
          (then
            (local.set $headerBytes (call $readNumber (local.get $at) (local.get $end)))
            (br_if $done (i32.lt_s (local.get $headerBytes) (i32.const 1)))
            (local.set $at (global.get $numberEnd))
            (br_if $done (i32.eq (local.get $at) (local.get $end)))
            (br_if $done (i32.ne (i32.load8_u (local.get $at)) (i32.const 32)))
            (i32.store (i32.add (local.get $entry) (i32.shl (local.get $tableBytes) (i32.const 2))) (local.get $headerBytes))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))))
        (local.set $size (call $readNumber (local.get $at) (local.get $end)))
        (br_if $done (i32.lt_s (local.get $size) (local.get $headerBytes)))
        (br_if $done (i32.gt_u (local.get $size) (local.get $payloadBytesMax)))
        (local.set $at (global.get $numberEnd))
        (br_if $done (i32.gt_u (i32.sub (local.get $at) (local.get $next)) (local.get $lineBytesMax)))
        (local.set $payloadEnd (i32.add (i32.add (local.get $at) (i32.const 2)) (local.get $size)))
        (br_if $done (i32.gt_u (i32.add (local.get $payloadEnd) (i32.const 2)) (local.get $end)))
        (br_if $done (i32.ne (i32.load16_u (local.get $at)) (i32.const 0x0a0d)))
        (br_if $done (i32.ne (i32.load16_u (local.get $payloadEnd)) (i32.const 0x0a0d)))
        (i32.store (local.get $entry) (i32.sub (i32.add (local.get $at) (i32.const 2)) (local.get $base)))
        (i32.store (i32.add (local.get $entry) (local.get $tableBytes)) (i32.sub (local.get $payloadEnd) (local.get $base)))
        (local.set $entry (i32.add (local.get $entry) (i32.const 4)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (local.set $next (i32.add (local.get $payloadEnd) (i32.const 2)))
        (br $message)))
    (local.get $index))

  ;; Where the digits from $at on end, at $end at last. Up to fifteen bytes behind $end are read.
  (func $digitsEnd (param $at i32) (param $end i32) (result i32)
    (local $stops i32)
    (block $found
      (loop $more
        (br_if $found (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $stops
          (i8x16.bitmask
            (i8x16.gt_u
              (i8x16.sub (v128.load (local.get $at)) (i8x16.splat (i32.const 48)))
              (i8x16.splat (i32.const 9)))))
        (if (local.get $stops)
          (then
            (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $stops))))
            (br $found)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $more)))
    (select (local.get $end) (local.get $at) (i32.gt_u (local.get $at) (local.get $end))))

  ;; Where the tokens of digits from $at on end, with the dots between them; $at when there is none, or an empty one among them.
  (func $tokensEnd (param $at i32) (param $end i32) (result i32)
    (local $first i32)
    (local $tokenEnd i32)
    (local.set $first (local.get $at))
    (loop $token
      (local.set $tokenEnd (call $digitsEnd (local.get $at) (local.get $end)))
      (if (i32.eq (local.get $tokenEnd) (local.get $at)) (then (return (local.get $first))))
      (if (i32.ge_u (local.get $tokenEnd) (local.get $end)) (then (return (local.get $end))))
      (local.set $at (i32.add (local.get $tokenEnd) (i32.const 1)))
      (br_if $token (i32.eq (i32.load8_u (local.get $tokenEnd)) (i32.const 46))))
    (local.get $tokenEnd))

  ;; Lays requests from $to on, and below $toEnd, for whose subjects one topic stands (src/gateway/commands/sharedRun.ts): publishes from
  ;; $at on, whose subjects are $prefix and then tokens of digits, whose payloads are of nine bytes at most, and that have a reply each
  ;; if $replies, in lines of at most $lineBytesMax up to their ends. The tables, those of encodeFullRun, get their positions from $toBase
  ;; on, and $ends where the next line begins behind each, from $base on, and in the table behind that the bytes of all payloads up to each.
  ;; Returns how many there are then. Up to sixteen bytes behind the last are overwritten.
  (func (export "layRequests")
    (param $at i32) (param $end i32) (param $base i32) (param $prefix i32) (param $prefixBytes i32) (param $replies i32)
    (param $lineBytesMax i32) (param $to i32) (param $toEnd i32) (param $toBase i32) (param $positions i32)
    (param $tableBytes i32) (param $ends i32) (param $max i32)
    (result i32)
    (local $line i32)
    (local $restStart i32)
    (local $restEnd i32)
    (local $replyStart i32)
    (local $replyBytes i32)
    (local $size i32)
    (local $payloadEnd i32)
    (local $payloadBytes i32)
    (local $index i32)
    (block $done
      (loop $request
        (br_if $done (i32.ge_u (local.get $index) (local.get $max)))
        (local.set $line (local.get $at))
        (local.set $restStart (i32.add (i32.add (local.get $at) (i32.const 4)) (local.get $prefixBytes)))
        (br_if $done (i32.gt_u (i32.add (local.get $restStart) (i32.const 7)) (local.get $end)))
        (br_if $done (i32.ne (i32.or (i32.load (local.get $at)) (i32.const 0x00202020)) (i32.const 0x20627570)))
        (br_if $done
          (i32.eqz (call $same (i32.add (local.get $at) (i32.const 4)) (local.get $prefix) (local.get $prefixBytes))))
        (local.set $restEnd (call $tokensEnd (local.get $restStart) (local.get $end)))
        (br_if $done (i32.eq (local.get $restEnd) (local.get $restStart)))
        (br_if $done (i32.ge_u (local.get $restEnd) (local.get $end)))
        (br_if $done (i32.ne (i32.load8_u (local.get $restEnd)) (i32.const 32)))
        (local.set $at (i32.add (local.get $restEnd) (i32.const 1)))
        (if (local.get $replies)
          (then
            (local.set $replyStart (local.get $at))
            (local.set $at (call $wordEnd (local.get $at) (local.get $end)))
            (local.set $replyBytes (i32.sub (local.get $at) (local.get $replyStart)))
            (br_if $done (i32.eqz (local.get $replyBytes)))
            (br_if $done (i32.eq (local.get $at) (local.get $end)))
            (br_if $done (i32.ne (i32.load8_u (local.get $at)) (i32.const 32)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))))
        (local.set $size (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
        (br_if $done (i32.gt_u (local.get $size) (i32.const 9)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $done (i32.gt_u (i32.sub (local.get $at) (local.get $line)) (local.get $lineBytesMax)))
        (local.set $payloadEnd (i32.add (i32.add (local.get $at) (i32.const 2)) (local.get $size)))
        (br_if $done (i32.gt_u (i32.add (local.get $payloadEnd) (i32.const 2)) (local.get $end)))
        (br_if $done (i32.ne (i32.load16_u (local.get $at)) (i32.const 0x0a0d)))
        (br_if $done (i32.ne (i32.load16_u (local.get $payloadEnd)) (i32.const 0x0a0d)))
        (br_if $done
          (i32.gt_u
            (i32.add
              (i32.add (local.get $to) (local.get $replyBytes))
              (i32.add (i32.sub (local.get $restEnd) (local.get $restStart)) (i32.add (local.get $size) (i32.const 3))))
            (local.get $toEnd)))
        (if (local.get $replies)
          (then
            (i32.store
              (i32.add (local.get $positions) (i32.shl (local.get $tableBytes) (i32.const 1)))
              (i32.sub (local.get $to) (local.get $toBase)))
            (local.set $to (call $copy (local.get $to) (local.get $replyStart) (local.get $replyBytes)))
            (i32.store
              (i32.add (local.get $positions) (i32.mul (local.get $tableBytes) (i32.const 3)))
              (i32.sub (local.get $to) (local.get $toBase)))))
        (i32.store (local.get $positions) (i32.sub (local.get $to) (local.get $toBase)))
        (local.set $to
          (call $copy (local.get $to) (local.get $restStart) (i32.sub (local.get $restEnd) (local.get $restStart))))
        (i32.store8 (local.get $to) (i32.const 32))
        (local.set $to
          (call $copy
            (i32.add (local.get $to) (i32.const 1))
            (i32.add (local.get $at) (i32.const 2))
            (i32.add (local.get $size) (i32.const 2))))
        (i32.store
          (i32.add (local.get $positions) (local.get $tableBytes))
          (i32.sub (i32.sub (local.get $to) (i32.const 2)) (local.get $toBase)))
        (local.set $at (i32.add (local.get $payloadEnd) (i32.const 2)))
        (i32.store (local.get $ends) (i32.sub (local.get $at) (local.get $base)))
        (local.set $payloadBytes (i32.add (local.get $payloadBytes) (local.get $size)))
        (i32.store (i32.add (local.get $ends) (local.get $tableBytes)) (local.get $payloadBytes))
        (local.set $ends (i32.add (local.get $ends) (i32.const 4)))
        (local.set $positions (i32.add (local.get $positions) (i32.const 4)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $request)))
    (local.get $index))

  ;; Reads the digits from $at on, fifteen at most, up to a dot; -1 when there are none, more, or something else behind them.
  (func $readToken (param $at i32) (param $end i32) (result i64)
    (local $number i64)
    (local $tokenEnd i32)
    (local.set $tokenEnd (call $digitsEnd (local.get $at) (local.get $end)))
    (global.set $numberEnd (local.get $tokenEnd))
    (if (i32.gt_u (i32.sub (i32.sub (local.get $tokenEnd) (local.get $at)) (i32.const 1)) (i32.const 14))
      (then (return (i64.const -1))))
    (if (i32.ne (i32.load8_u (local.get $tokenEnd)) (i32.const 46)) (then (return (i64.const -1))))
    (loop $more
      (local.set $number
        (i64.add
          (i64.mul (local.get $number) (i64.const 10))
          (i64.extend_i32_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))))
      (br_if $more (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $tokenEnd))))
    (local.get $number))

  ;; Whether the bytes from $at to $end say that a message is done, and no more: nothing, `+ACK` or `+OK`.
  (func $saysDone (param $at i32) (param $end i32) (result i32)
    (local $length i32)
    (local.set $length (i32.sub (local.get $end) (local.get $at)))
    (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
    (if (i32.eq (local.get $length) (i32.const 4))
      (then (return (i32.eq (i32.load (local.get $at)) (i32.const 0x4b43412b)))))
    (i32.and
      (i32.eq (local.get $length) (i32.const 3))
      (i32.eq (i32.and (i32.load (local.get $at)) (i32.const 0xffffff)) (i32.const 0x4b4f2b))))

  ;; Reads acknowledgements as layRequests lays them, which say that a message is done: five numbers, of which the second and the third are
  ;; written to $acks. The tables are those of encodeFullRun. Returns how many were read, up to the first that says anything else.
  (func (export "readAcks")
    (param $base i32) (param $positions i32) (param $tableBytes i32) (param $count i32) (param $acks i32)
    (result i32)
    (local $at i32)
    (local $end i32)
    (local $sequence i64)
    (local $delivery i64)
    (local $index i32)
    (block $done
      (loop $ack
        (br_if $done (i32.ge_u (local.get $index) (local.get $count)))
        (local.set $at (i32.add (local.get $base) (i32.load (local.get $positions))))
        (local.set $end
          (i32.add (local.get $base) (i32.load (i32.add (local.get $positions) (local.get $tableBytes)))))
        (br_if $done (i64.lt_s (call $readToken (local.get $at) (local.get $end)) (i64.const 0)))
        (local.set $sequence (call $readToken (i32.add (global.get $numberEnd) (i32.const 1)) (local.get $end)))
        (br_if $done (i64.lt_s (local.get $sequence) (i64.const 0)))
        (local.set $delivery (call $readToken (i32.add (global.get $numberEnd) (i32.const 1)) (local.get $end)))
        (br_if $done (i64.lt_s (local.get $delivery) (i64.const 0)))
        (local.set $at (i32.add (global.get $numberEnd) (i32.const 1)))
        (local.set $at (call $digitsEnd (local.get $at) (local.get $end)))
        (br_if $done (i32.ne (i32.load8_u (local.get $at)) (i32.const 46)))
        (local.set $at (call $digitsEnd (i32.add (local.get $at) (i32.const 1)) (local.get $end)))
        (br_if $done (i32.ne (i32.load8_u (local.get $at)) (i32.const 32)))
        (br_if $done (i32.eqz (call $saysDone (i32.add (local.get $at) (i32.const 1)) (local.get $end))))
        (f64.store (local.get $acks) (f64.convert_i64_u (local.get $sequence)))
        (f64.store offset=8 (local.get $acks) (f64.convert_i64_u (local.get $delivery)))
        (local.set $acks (i32.add (local.get $acks) (i32.const 16)))
        (local.set $positions (i32.add (local.get $positions) (i32.const 4)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $ack)))
    (local.get $index))

  ;; Lays the texts of $count acknowledgements from $to on: $prefixBytes from $prefix, a number, the first is $number, `}` and CR LF. The
  ;; tables of starts and ends get their positions from $base on. Up to sixteen bytes behind the last are overwritten.
  (func (export "layAcks")
    (param $to i32) (param $prefix i32) (param $prefixBytes i32) (param $number f64) (param $base i32)
    (param $positions i32) (param $tableBytes i32) (param $count i32)
    (local $next i64)
    (local.set $next (i64.trunc_f64_u (local.get $number)))
    (loop $message
      (i32.store (local.get $positions) (i32.sub (local.get $to) (local.get $base)))
      (local.set $to (call $copy (local.get $to) (local.get $prefix) (local.get $prefixBytes)))
      (local.set $to (call $writeNumber (local.get $to) (local.get $next)))
      (i32.store (local.get $to) (i32.const 0x000a0d7d))
      (local.set $to (i32.add (local.get $to) (i32.const 3)))
      (i32.store
        (i32.add (local.get $positions) (local.get $tableBytes))
        (i32.sub (i32.sub (local.get $to) (i32.const 2)) (local.get $base)))
      (local.set $next (i64.add (local.get $next) (i64.const 1)))
      (local.set $positions (i32.add (local.get $positions) (i32.const 4)))
      (br_if $message (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Writes messages without reply and headers, each to an address of its own, which stands where encodeFullRun finds replies; at $sid the
  ;; sid between two spaces. Returns the address behind the last, from where on up to sixteen bytes are overwritten.
  (func (export "encodeAnswers")
    (param $to i32) (param $sid i32) (param $sidBytes i32) (param $base i32) (param $positions i32) (param $tableBytes i32)
    (param $count i32)
    (result i32)
    (local $start i32)
    (local $messageBytes i32)
    (local $addressStart i32)
    (loop $message
      (local.set $start (i32.load (local.get $positions)))
      (local.set $messageBytes
        (i32.sub (i32.load (i32.add (local.get $positions) (local.get $tableBytes))) (local.get $start)))
      (local.set $addressStart
        (i32.load (i32.add (local.get $positions) (i32.shl (local.get $tableBytes) (i32.const 1)))))
      (i32.store (local.get $to) (i32.const 0x2047534d))
      (local.set $to
        (call $copy
          (i32.add (local.get $to) (i32.const 4))
          (i32.add (local.get $base) (local.get $addressStart))
          (i32.sub
            (i32.load (i32.add (local.get $positions) (i32.mul (local.get $tableBytes) (i32.const 3))))
            (local.get $addressStart))))
      (local.set $to (call $copy (local.get $to) (local.get $sid) (local.get $sidBytes)))
      (local.set $to (call $writeNumber (local.get $to) (i64.extend_i32_u (local.get $messageBytes))))
      (i32.store16 (local.get $to) (i32.const 0x0a0d))
      (local.set $to
        (call $copy
          (i32.add (local.get $to) (i32.const 2))
          (i32.add (local.get $base) (local.get $start))
          (i32.add (local.get $messageBytes) (i32.const 2))))
      (local.set $positions (i32.add (local.get $positions) (i32.const 4)))
      (br_if $message (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $to))

  ;; Lays messages of a run as records of a journal (src/log/entryLayout.ts), one behind the other from $to on, and below $end. Only the
  ;; first may begin at $aim or behind it. At $room is what they are laid from (src/log/runRoom.ts): the head that they begin with,
  ;; $headBytes with the subject, whose sequence is the next one's from then on. Messages lie as for encodeFullRun, but for replies.
  ;; Returns how many were laid; where they end stands at $room.
  (func (export "layRecords")
    (param $to i32) (param $aim i32) (param $end i32) (param $room i32) (param $headBytes i32)
    (param $base i32) (param $positions i32) (param $tableBytes i32) (param $count i32) (param $headers i32)
    (result i32)
    (local $laid i32)
    (local $head i32)
    (local $start i32)
    (local $messageBytes i32)
    (local $length i32)
    (local $next i32)
    (local $body i32)
    (local.set $head (i32.add (local.get $room) (i32.const 8)))
    (block $done
      (loop $message
        (br_if $done (i32.eq (local.get $laid) (local.get $count)))
        (br_if $done (i32.and (i32.ne (local.get $laid) (i32.const 0)) (i32.ge_u (local.get $to) (local.get $aim))))
        (local.set $start (i32.load (local.get $positions)))
        (local.set $messageBytes
          (i32.add
            (i32.sub (i32.load (i32.add (local.get $positions) (local.get $tableBytes))) (local.get $start))
            (i32.const 2)))
        (local.set $length (i32.add (local.get $headBytes) (local.get $messageBytes)))
        (local.set $next (i32.add (local.get $to) (i32.and (i32.add (local.get $length) (i32.const 7)) (i32.const -8))))
        (br_if $done (i32.gt_u (local.get $next) (local.get $end)))
        (local.set $start (i32.add (local.get $base) (local.get $start)))
        (local.set $body (i32.add (local.get $to) (local.get $headBytes)))
        ;; nothing is written behind the end
        (if (i32.or
              (i32.gt_u (i32.add (local.get $next) (i32.const 16)) (local.get $end))
              (i32.gt_u (local.get $messageBytes) (i32.const 256)))
          (then
            (memory.copy (local.get $to) (local.get $head) (local.get $headBytes))
            (memory.copy (local.get $body) (local.get $start) (local.get $messageBytes)))
          (else
            (drop (call $copy (local.get $to) (local.get $head) (local.get $headBytes)))
            (drop (call $copy (local.get $body) (local.get $start) (local.get $messageBytes)))))
        (i32.store (local.get $to) (local.get $length))
        (if (local.get $headers)
          (then
            (i64.store offset=32
              (local.get $to)
              (i64.load32_u (i32.add (local.get $positions) (i32.shl (local.get $tableBytes) (i32.const 1)))))))
        ;; zeros up to the next word
        (i64.store
          (i32.sub (local.get $next) (i32.const 8))
          (i64.and
            (i64.load (i32.sub (local.get $next) (i32.const 8)))
            (i64.shr_u
              (i64.const -1)
              (i64.extend_i32_u
                (i32.shl
                  (i32.sub (local.get $next) (i32.add (local.get $to) (local.get $length)))
                  (i32.const 3))))))
        (i64.store offset=16 (local.get $head) (i64.add (i64.load offset=16 (local.get $head)) (i64.const 1)))
        (local.set $to (local.get $next))
        (local.set $positions (i32.add (local.get $positions) (i32.const 4)))
        (local.set $laid (i32.add (local.get $laid) (i32.const 1)))
        (br $message)))
    (i32.store (local.get $room) (local.get $to))
    (local.get $laid))

  ;; One step of XXH64: eight bytes more for one of the four sums.
  (func $hashRound (param $sum i64) (param $word i64) (result i64)
    (i64.mul
      (i64.rotl
        (i64.add (local.get $sum) (i64.mul (local.get $word) (i64.const 0xC2B2AE3D27D4EB4F)))
        (i64.const 31))
      (i64.const 0x9E3779B185EBCA87)))

  ;; Brings one of the four sums into the hash.
  (func $hashMerge (param $hash i64) (param $sum i64) (result i64)
    (i64.add
      (i64.mul
        (i64.xor (local.get $hash) (call $hashRound (i64.const 0) (local.get $sum)))
        (i64.const 0x9E3779B185EBCA87))
      (i64.const 0x85EBCA77C2B2AE63)))

  ;; Writes XXH64 of $length bytes to $to; the seed is the eight bytes at $seedAt.
  (func (export "hash64") (param $at i32) (param $length i32) (param $seedAt i32) (param $to i32)
    (local $end i32)
    (local $seed i64)
    (local $hash i64)
    (local $a i64)
    (local $b i64)
    (local $c i64)
    (local $d i64)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (local.set $seed (i64.load (local.get $seedAt)))
    (if (i32.ge_u (local.get $length) (i32.const 32))
      (then
        (local.set $a (i64.add (local.get $seed) (i64.add (i64.const 0x9E3779B185EBCA87) (i64.const 0xC2B2AE3D27D4EB4F))))
        (local.set $b (i64.add (local.get $seed) (i64.const 0xC2B2AE3D27D4EB4F)))
        (local.set $c (local.get $seed))
        (local.set $d (i64.sub (local.get $seed) (i64.const 0x9E3779B185EBCA87)))
        ;; hashRound four times, without the calls
        (loop $stripe
          (local.set $a
            (i64.mul
              (i64.rotl
                (i64.add (local.get $a) (i64.mul (i64.load (local.get $at)) (i64.const 0xC2B2AE3D27D4EB4F)))
                (i64.const 31))
              (i64.const 0x9E3779B185EBCA87)))
          (local.set $b
            (i64.mul
              (i64.rotl
                (i64.add (local.get $b) (i64.mul (i64.load offset=8 (local.get $at)) (i64.const 0xC2B2AE3D27D4EB4F)))
                (i64.const 31))
              (i64.const 0x9E3779B185EBCA87)))
          (local.set $c
            (i64.mul
              (i64.rotl
                (i64.add (local.get $c) (i64.mul (i64.load offset=16 (local.get $at)) (i64.const 0xC2B2AE3D27D4EB4F)))
                (i64.const 31))
              (i64.const 0x9E3779B185EBCA87)))
          (local.set $d
            (i64.mul
              (i64.rotl
                (i64.add (local.get $d) (i64.mul (i64.load offset=24 (local.get $at)) (i64.const 0xC2B2AE3D27D4EB4F)))
                (i64.const 31))
              (i64.const 0x9E3779B185EBCA87)))
          (local.set $at (i32.add (local.get $at) (i32.const 32)))
          (br_if $stripe (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 32))))
        (local.set $hash
          (i64.add
            (i64.add (i64.rotl (local.get $a) (i64.const 1)) (i64.rotl (local.get $b) (i64.const 7)))
            (i64.add (i64.rotl (local.get $c) (i64.const 12)) (i64.rotl (local.get $d) (i64.const 18)))))
        (local.set $hash (call $hashMerge (local.get $hash) (local.get $a)))
        (local.set $hash (call $hashMerge (local.get $hash) (local.get $b)))
        (local.set $hash (call $hashMerge (local.get $hash) (local.get $c)))
        (local.set $hash (call $hashMerge (local.get $hash) (local.get $d))))
      (else (local.set $hash (i64.add (local.get $seed) (i64.const 0x27D4EB2F165667C5)))))
    (local.set $hash (i64.add (local.get $hash) (i64.extend_i32_u (local.get $length))))
    (block $words
      (loop $word
        (br_if $words (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor (local.get $hash) (call $hashRound (i64.const 0) (i64.load (local.get $at))))
                (i64.const 27))
              (i64.const 0x9E3779B185EBCA87))
            (i64.const 0x85EBCA77C2B2AE63)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $word)))
    (if (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 4))
      (then
        (local.set $hash
          (i64.add
            (i64.mul
              (i64.rotl
                (i64.xor
                  (local.get $hash)
                  (i64.mul (i64.load32_u (local.get $at)) (i64.const 0x9E3779B185EBCA87)))
                (i64.const 23))
              (i64.const 0xC2B2AE3D27D4EB4F))
            (i64.const 0x165667B19E3779F9)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))))
    (block $bytes
      (loop $byte
        (br_if $bytes (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $hash
          (i64.mul
            (i64.rotl
              (i64.xor
                (local.get $hash)
                (i64.mul (i64.load8_u (local.get $at)) (i64.const 0x27D4EB2F165667C5)))
              (i64.const 11))
            (i64.const 0x9E3779B185EBCA87)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $byte)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 33)))
        (i64.const 0xC2B2AE3D27D4EB4F)))
    (local.set $hash
      (i64.mul
        (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 29)))
        (i64.const 0x165667B19E3779F9)))
    (i64.store (local.get $to) (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))))
