// Runs the real worker through its protocol, for the worker's tests.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "eval/formats/artifact.h"
#include "eval/formats/bits_per_byte.h"
#include "eval/formats/shard.h"
#include "train/lm/space/lm_search_space.h"
#include "train/protocol/protocol.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace cultivar {

using testing::HasSubstr;

inline constexpr std::int64_t kVocabulary = 48;

struct Ending {
    std::vector<Event> events;
    int exit_code = -1;
    double peak_rss_bytes = 0;

    template <typename T>
    std::vector<T> all() const {
        std::vector<T> found;
        for (const Event& event : events) {
            if (const T* one = std::get_if<T>(&event)) found.push_back(*one);
        }
        return found;
    }
    DoneEvent done() const { return all<DoneEvent>().empty() ? DoneEvent{} : all<DoneEvent>().front(); }
    std::string error_kind() const { return all<ErrorEvent>().empty() ? "" : all<ErrorEvent>().front().kind; }
    std::string error_message() const { return all<ErrorEvent>().empty() ? "" : all<ErrorEvent>().front().message; }
};

inline std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

class Worker : public testing::Test {
protected:
    void SetUp() override {
        folder_ = testing::TempDir() + "lm_worker_" + testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_ + "/work");
        ASSERT_TRUE(write_shard(folder_ + "/train.bin", text(20000)));
        ASSERT_TRUE(write_shard(folder_ + "/val.bin", text(9000)));
        ASSERT_TRUE(write_byte_table(folder_ + "/tokens.bytes", ByteTable(kVocabulary, {2, true, false})));
        specification_.genes = tiny_genes();
        specification_.seed = 11;
        specification_.budget_s = 0.6;
        specification_.train_shards = {folder_ + "/train.bin"};
        specification_.val_shard = folder_ + "/val.bin";
        specification_.byte_table = folder_ + "/tokens.bytes";
        specification_.vocabulary = kVocabulary;
        specification_.artifact_cap_bytes = 16000000;
        specification_.work_dir = folder_ + "/work";
        specification_.artifact = folder_ + "/artifact";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    // A text that can be learnt: each token follows from the one before and the position. No two micro-batches are the
    // same.
    static std::vector<std::uint16_t> text(std::size_t size) {
        std::vector<std::uint16_t> tokens(size, 1);
        for (std::size_t i = 1; i < size; ++i) {
            tokens[i] = static_cast<std::uint16_t>((5 * tokens[i - 1] + i % 11) % 47);
        }
        return tokens;
    }

    static Genes tiny_genes() {
        Genes genes;
        for (const Gene& gene : lm_genes()) genes[gene.name] = gene.default_value;
        genes["model.layers"] = std::int64_t{3};
        genes["model.width"] = std::int64_t{32};
        genes["model.heads"] = std::int64_t{2};
        genes["model.kv_heads"] = std::int64_t{1};
        genes["data.seq_len"] = std::int64_t{64};
        genes["data.tokens_per_step"] = std::int64_t{1024};
        return genes;
    }

    // Called with every event and the worker's process.
    using Listener = std::function<void(const Event&, pid_t)>;

    // Starts the worker and reads its events.
    Ending run(const Listener& listener = {}) {
        const std::string path = folder_ + "/spec.json";
        write_bytes(path, to_json(specification_));
        return run_file(path, listener);
    }

    // Sends `signal` after so many steps.
    Ending run_until(std::size_t steps, int signal) {
        return run([=, seen = std::size_t{0}](const Event& event, pid_t worker) mutable {
            if (std::holds_alternative<StepEvent>(event) && ++seen == steps) kill(worker, signal);
        });
    }

    static Ending run_file(const std::string& path, const Listener& listener = {}) {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        std::string program = CULTIVAR_LM_PROGRAM, verb = "run", argument = path;
        char* words[] = {program.data(), verb.data(), argument.data(), nullptr};
        pid_t child = 0;
        EXPECT_EQ(posix_spawn(&child, program.c_str(), &actions, nullptr, words, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        Ending ending;
        FILE* lines = fdopen(ends[0], "r");
        char* line = nullptr;
        std::size_t capacity = 0;
        for (ssize_t size; (size = getline(&line, &capacity, lines)) > 0;) {
            const auto event = parse_event({line, static_cast<std::size_t>(size)});
            EXPECT_TRUE(event) << line;
            if (!event) continue;
            ending.events.push_back(*event);
            if (listener) listener(*event, child);
        }
        free(line);
        fclose(lines);
        int status = 0;
        rusage usage{};
        wait4(child, &status, 0, &usage);
        ending.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        ending.peak_rss_bytes = 1024.0 * static_cast<double>(usage.ru_maxrss);
        return ending;
    }

    Ending score_artifact(std::vector<int> chunks = {}) {
        specification_.mode = Specification::Mode::score;
        specification_.chunks = std::move(chunks);
        return run();
    }

    std::string folder_;
    Specification specification_;
};

}  // namespace cultivar
