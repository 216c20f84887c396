" SPDX-License-Identifier: Apache-2.0
" What a user of Vim's termdebug does with a program that icecore serves; says what was seen in the file $REPORT.
set nocompatible
packadd termdebug

function! Say(line)
  call writefile([a:line], $REPORT, 'a')
endfunction

function! GdbText()
  for buffer in getbufinfo()
    if getbufvar(buffer.bufnr, '&buftype') ==# 'terminal'
      let l:text = join(getbufline(buffer.bufnr, 1, '$'), "\n")
      if l:text =~# 'Reading symbols' | return l:text | endif
    endif
  endfor
  return ''
endfunction

function! Await(what, expression)
  let l:deadline = localtime() + 40
  while localtime() < l:deadline
    if eval(a:expression) | return Say('seen: ' . a:what) | endif
    sleep 50m
  endwhile
  call Say('NOT seen: ' . a:what . ' in line ' . SourceLine() . ': ' . GdbText())
  cquit!
endfunction

" One for a breakpoint, one for where the program is.
function! Signs()
  let l:count = 0
  for buffer in getbufinfo()
    let l:signs = sign_getplaced(buffer.bufnr, {'group': '*'})[0].signs
    let l:count += len(filter(copy(l:signs), 'v:val.name =~# "debug"'))
  endfor
  return l:count
endfunction

function! SourceLine()
  return line('.', win_findbuf(bufnr($VICTIM_SOURCE))[0])
endfunction

let g:termdebugger = ['gdb', '-nx']
execute 'Termdebug' $VICTIM
call Await('the prompt', 'GdbText() =~# "(gdb)"')
call TermDebugSendCommand('set sysroot')
call TermDebugSendCommand('target remote | ' . $ICECORE . ' gdbserver - ' . $VICTIM . ' 10')
call Await('a connection', 'GdbText() =~# "_start"')
Source
execute 'edit' $VICTIM_SOURCE
call search('void counted()')
let g:counted = line('.')
Break
call Await('the sign of a breakpoint', 'Signs() >= 1')
Continue
call Await('the sign of the place', 'Signs() >= 2')
Over
call Await('a step over printf', 'SourceLine() != g:counted')
call TermDebugSendCommand('reverse-continue')
call Await('the way back', 'SourceLine() == g:counted')
call TermDebugSendCommand('kill')
call TermDebugSendCommand('quit')
qall!
