// Owns an object of libgit2 and frees it with its own function.
#pragma once

#include <string>

#include <git2.h>

namespace cultivar {

template <typename T, void (*free_it)(T*)>
class Libgit2Handle {
public:
    Libgit2Handle() = default;
    Libgit2Handle(const Libgit2Handle&) = delete;
    Libgit2Handle& operator=(const Libgit2Handle&) = delete;
    ~Libgit2Handle() {
        if (held_) free_it(held_);
    }
    T** out() { return &held_; }
    T* get() const { return held_; }

private:
    T* held_ = nullptr;
};

struct Buffer {
    git_buf buf = GIT_BUF_INIT;
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { git_buf_dispose(&buf); }
    std::string text() const { return {buf.ptr ? buf.ptr : "", buf.size}; }
};

}  // namespace cultivar
