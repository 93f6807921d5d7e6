// Result<T>: the one way in which cultivar reports failures.
//
// An Error has a message (one lower-case line without a full stop, subject in single quotes), a code, a reason where a
// caller decides on one, and optionally a hint: a command that the user can run. Libraries return it; only cli/ prints.
// Nothing throws across a folder: exceptions of third-party libraries are caught in the file that calls them.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace cultivar {

enum class Code {
    usage,        // wrong arguments or files: bad flag, malformed TOML, value out of range
    not_found,    // the named thing does not exist
    io,           // the operating system failed: disk, permissions, processes
    git,          // git or the remote failed
    corrupt,      // bytes contradict their name, signature or format
    newer,        // written by a newer cultivar; nothing was touched
    busy,         // another process holds the lock
    unfit,        // this candidate cannot be judged here
    interrupted,  // a signal asked us to stop
};

// A detail of a code that callers decide on. Messages are for people: no program reads them.
enum class Reason {
    unspecified,
    ref_missing,  // git: a ref that was named in full is not on the remote
    too_large,    // git: the remote sent more, or cost more memory, than this clone accepts; corrupt: over a limit
    transient,    // git: the network or the server failed in a way that may pass
    other_task,   // a record or a candidate of another task than the pool's, such as of an earlier one
    bad_index,    // corrupt: the local index is damaged; it can be made anew
};

struct Error {
    Code code;
    std::string message;
    std::string hint;  // a runnable command, or empty
    Reason reason = Reason::unspecified;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Code code, std::string message, std::string hint = {},
                                  Reason reason = Reason::unspecified) {
    return tl::make_unexpected(Error{code, std::move(message), std::move(hint), reason});
}

// Passes an error of another Result on unchanged.
inline tl::unexpected<Error> fail(Error error) { return tl::make_unexpected(std::move(error)); }

}  // namespace cultivar

#define CULTIVAR_JOIN2(a, b) a##b
#define CULTIVAR_JOIN(a, b) CULTIVAR_JOIN2(a, b)

// TRY(expression): leaves the function with the expression's error, if it has one.
#define TRY(expression)                                                          \
    do {                                                                         \
        auto&& try_result = (expression);                                        \
        if (!try_result) return ::cultivar::fail(std::move(try_result.error())); \
    } while (false)

// TRY_ASSIGN(auto x, expression): the same, and binds the value.
#define TRY_ASSIGN(target, expression) TRY_ASSIGN_AS(CULTIVAR_JOIN(try_value_, __LINE__), target, expression)
#define TRY_ASSIGN_AS(name, target, expression)                  \
    auto name = (expression);                                    \
    if (!name) return ::cultivar::fail(std::move(name.error())); \
    target = std::move(*name)
