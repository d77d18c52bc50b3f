;; The two inner loops of the broker, over memory that the thread's gateway reads into and sends from. See docs/decisions/0010.
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
    (local.get $index)))
