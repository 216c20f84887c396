;;; What a user of Emacs's gdb mode does with a program that icecore serves. -*- lexical-binding: t -*-
;; SPDX-License-Identifier: Apache-2.0
(require 'gdb-mi)

(defun text () (with-current-buffer gud-comint-buffer (buffer-string)))

(defun await (what condition)
  (let ((deadline (+ (float-time) 40)))
    (while (and (not (funcall condition)) (< (float-time) deadline))
      (accept-process-output nil 0.05)))
  (unless (funcall condition)
    (message "NOT seen: %s in %s" what (text))
    (kill-emacs 1))
  (message "seen: %s" what))

(defun say (line)
  (with-current-buffer gud-comint-buffer
    (goto-char (point-max))
    (insert line)
    (comint-send-input)))

(defun place () (cdr gud-last-last-frame))

(let ((victim (getenv "VICTIM")) (counted nil))
  (gdb (concat "gdb -nx -q -i=mi " victim))
  (await "the prompt" (lambda () (string-match-p "(gdb) " (text))))
  (say "set sysroot")
  (say (format "target remote | %s gdbserver - %s 10" (getenv "ICECORE") victim))
  (await "a connection" (lambda () (string-match-p "_start" (text))))
  (with-current-buffer (find-file-noselect (getenv "VICTIM_SOURCE"))
    (set-window-buffer (selected-window) (current-buffer))
    (goto-char (point-min))
    (search-forward "void counted()")
    (setq counted (line-number-at-pos))
    (gud-break 1))
  (await "a breakpoint" (lambda () gdb-breakpoints-list))
  (gud-cont 1)
  (await "the place" (lambda () (equal (place) counted)))
  (gud-next 1)
  (await "a step over printf" (lambda () (not (equal (place) counted))))
  (say "reverse-continue")
  (await "the way back" (lambda () (equal (place) counted)))
  (say "kill")
  (await "the end" (lambda () (string-match-p "killed" (text)))))
