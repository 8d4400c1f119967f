/* Counts the instructions that a program executes, as a plugin of QEMU's emulator of programs.
 *
 *     qemu-aarch64 -plugin count_instructions.so,out=FILE PROGRAM …
 *
 * Each time the program asks for its session (getsid, which nothing else does), a line with the count so
 * far goes to FILE: so the program itself says where a piece of work begins and ends. What each of its
 * threads executes is counted apart and added up. Debian has no header of QEMU's plugins, so what is used
 * of that interface stands here; it is the first version of it.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MOST_THREADS 1024
#define SHOWN __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct info {
    const char *target_name;
};
struct block;

typedef void on_translation(plugin_id, struct block *);
typedef void on_execution(unsigned int thread, void *instructions);
typedef void on_system_call(plugin_id, unsigned int thread, int64_t number, uint64_t, uint64_t, uint64_t,
                            uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translation *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct block *, on_execution *, int registers, void *);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_system_call *);
extern size_t qemu_plugin_tb_n_insns(const struct block *);

SHOWN int qemu_plugin_version = 1;

static uint64_t executed[MOST_THREADS];
static int64_t getsid_number;
static FILE *out;

static void block_executed(unsigned int thread, void *instructions)
{
    executed[thread % MOST_THREADS] += (uintptr_t)instructions;
}

static void block_translated(plugin_id id, struct block *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, block_executed, 0, (void *)qemu_plugin_tb_n_insns(block));
}

static void system_call(plugin_id id, unsigned int thread, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                        uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    uint64_t all = 0;

    (void)id, (void)thread, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number != getsid_number)
        return;
    for (int one = 0; one < MOST_THREADS; one++)
        all += executed[one];
    fprintf(out, "%llu\n", (unsigned long long)all);
    fflush(out);
}

SHOWN int qemu_plugin_install(plugin_id id, const struct info *info, int count, char **words)
{
    getsid_number = strcmp(info->target_name, "aarch64") == 0 ? 156 : 124;
    if (count != 1 || strncmp(words[0], "out=", 4) != 0 || (out = fopen(words[0] + 4, "w")) == NULL) {
        fprintf(stderr, "count_instructions: give out=FILE\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_vcpu_syscall_cb(id, system_call);
    return 0;
}
