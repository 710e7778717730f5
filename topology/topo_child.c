/*
 * A question to a child process: fork, and the answer through a pipe.
 *
 * The child starts as a copy of this process, so the question needs no encoding. Its answer is a
 * header, then either the bytes or the error's domain and message. It ends by _exit(), so buffers
 * and handlers of this process are not run twice, and it goes down with its parent. What it prints
 * is kept in a file without a name and looked at only when it dies.
 *
 * A copy of a process with threads has only the one that asked: @work must not wait for others.
 */
#include "topo_child.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORDS_BYTES = 400, /* of what a dead child said */
};

/* Before the answer; after an error, its domain's name with the final 0, then the message. */
typedef struct ChildHeader {
    uint32_t is_error;
    int32_t code;
    uint32_t domain_size;
} ChildHeader;

static bool write_all(int fd, const void *data, size_t size)
{
    const char *at = (const char *)data;
    while (size > 0) {
        ssize_t done = write(fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

/* All bytes until the other side closes. */
static void read_all(int fd, GByteArray *into)
{
    guint8 piece[65536];
    while (true) {
        ssize_t done = read(fd, piece, sizeof piece);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            break;
        g_byte_array_append(into, piece, (guint)done);
    }
}

static bool send_answer(int fd, const GByteArray *answer)
{
    const ChildHeader header = {.is_error = 0};
    return write_all(fd, &header, sizeof header) && write_all(fd, answer->data, answer->len);
}

static bool send_error(int fd, const GError *error)
{
    const char *domain = g_quark_to_string(error->domain);
    const ChildHeader header = {1, error->code, (uint32_t)strlen(domain) + 1};
    return write_all(fd, &header, sizeof header) && write_all(fd, domain, header.domain_size) &&
           write_all(fd, error->message, strlen(error->message));
}

static void work_in_child(TopoChildFunc work, void *ctx, int to_parent, int words)
{
    g_autoptr(GByteArray) answer = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(words, STDOUT_FILENO);
    dup2(words, STDERR_FILENO);
    bool is_sent =
        work(ctx, answer, &error) ? send_answer(to_parent, answer) : send_error(to_parent, error);
    _exit(is_sent ? 0 : 1);
}

static void set_died(GError **error, int status, FILE *words)
{
    char said[WORDS_BYTES + 1];
    rewind(words);
    said[fread(said, 1, WORDS_BYTES, words)] = '\0';
    g_strstrip(g_strdelimit(said, "\n", ' '));
    const char *how = WIFSIGNALED(status) ? "by signal" : "with status";
    int what = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "the child process died %s %d%s%s", how,
                what, said[0] != '\0' ? ": " : "", said);
}

/* Takes the header off @bytes; false and @error when they tell of one. */
static bool unwrap(GByteArray *bytes, GError **error)
{
    ChildHeader header;
    memcpy(&header, bytes->data, sizeof header);
    g_byte_array_remove_range(bytes, 0, sizeof header);
    if (header.is_error == 0)
        return true;
    GQuark domain = g_quark_from_string((const char *)bytes->data);
    g_autofree char *message =
        g_strndup((const char *)bytes->data + header.domain_size, bytes->len - header.domain_size);
    g_set_error_literal(error, domain, header.code, message);
    return false;
}

static GByteArray *ask(TopoChildFunc work, void *ctx, FILE *words, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    int ends[2];
    if (pipe(ends) != 0) {
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "no pipe: %s", g_strerror(errno));
        return NULL;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        work_in_child(work, ctx, ends[1], fileno(words));
    }
    int no_child = errno;
    close(ends[1]);
    if (child > 0)
        read_all(ends[0], bytes);
    close(ends[0]);
    if (child < 0) {
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK, "no child process: %s",
                    g_strerror(no_child));
        return NULL;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0 || bytes->len < sizeof(ChildHeader)) {
        set_died(error, status, words);
        return NULL;
    }
    return unwrap(bytes, error) ? g_steal_pointer(&bytes) : NULL;
}

GByteArray *topo_child_ask(TopoChildFunc work, void *ctx, GError **error)
{
    FILE *words = tmpfile();
    if (words == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no temporary file: %s",
                    g_strerror(errno));
        return NULL;
    }
    GByteArray *answer = ask(work, ctx, words, error);
    fclose(words);
    return answer;
}
