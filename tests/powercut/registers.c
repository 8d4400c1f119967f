/* Loaded into User Mode Linux by LD_PRELOAD, for two things that its kernel 6.1 lacks.
 *
 * It runs where the processor has more registers than it knows. It keeps its processes'
 * floating-point registers in a buffer of fixed size: the host gives it as much as fits, but takes
 * registers back only whole, and on a processor with AMX, which has more than fits, it refuses. So
 * what is put back is made whole, with nothing in the registers that the guest never uses.
 *
 * And its processes die with it. Without their kernel they would make their system calls to the
 * host.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOM = 64 * 1024 };

static long put_whole(pid_t pid, void *set, const struct iovec *part)
{
    static char whole[ROOM] __attribute__((aligned(64)));
    static struct iovec all = {whole, 0};

    if (all.iov_len == 0) {
        struct iovec there = {whole, sizeof whole};
        if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, set, &there) < 0)
            return -1;
        memset(whole, 0, sizeof whole);
        all.iov_len = there.iov_len;
    }
    if (part->iov_len >= all.iov_len)
        return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, set, part);
    memcpy(whole, part->iov_base, part->iov_len);
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, set, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list rest;
    long peeked, done;

    va_start(rest, request);
    pid_t pid = va_arg(rest, pid_t);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);
    if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE)
        return put_whole(pid, address, data);
    if (request == PTRACE_SETOPTIONS)
        data = (void *)((unsigned long)data | PTRACE_O_EXITKILL);
    if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSER)
        return syscall(SYS_ptrace, request, pid, address, data);
    done = syscall(SYS_ptrace, request, pid, address, &peeked);
    return done < 0 ? done : peeked;
}
