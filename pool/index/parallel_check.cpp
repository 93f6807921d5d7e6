#include "pool/index/parallel_check.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "pool/rules/record_checks.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kAtOnce = 64;  // lines that a thread takes at once; fewer are not worth a second thread
constexpr unsigned kMostThreads = 8;

constexpr std::size_t kMostQuote = 300;  // reasons quote the record

Fault fault_of(const Error& error) {
    if (error.code == Code::newer) return Fault::later;
    if (error.reason == Reason::other_task) return Fault::other_task;
    return error.code == Code::unfit ? Fault::unfit : Fault::rubbish;
}

void refuse(CheckedLine& line, const Error& error) {
    line.refused = cut(error.message, kMostQuote);
    line.fault = fault_of(error);
}

CheckedLine check_line(const Task& task, const std::string& task_id, const RawLine& line) {
    CheckedLine checked{record_id(line.text), std::nullopt, ""};
    auto record = parse_line(line.text);
    if (!record) {
        refuse(checked, record.error());
        return checked;
    }
    auto good = check_record(task, task_id, *record, line.writer);
    if (!good) refuse(checked, good.error());
    checked.record = std::move(*record);
    return checked;
}

}  // namespace

std::vector<CheckedLine> check_lines(const Task& task, const std::string& task_id, std::span<const RawLine> lines) {
    std::vector<CheckedLine> checked(lines.size());
    std::atomic<std::size_t> next{0};
    auto work = [&] {
        for (std::size_t begin; (begin = next.fetch_add(kAtOnce)) < lines.size();) {
            const std::size_t end = std::min(begin + kAtOnce, lines.size());
            for (std::size_t i = begin; i < end; ++i) checked[i] = check_line(task, task_id, lines[i]);
        }
    };
    std::vector<std::jthread> helpers;
    const std::size_t useful = (lines.size() + kAtOnce - 1) / kAtOnce;
    const std::size_t threads = std::min<std::size_t>({useful, std::thread::hardware_concurrency(), kMostThreads});
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
    work();
    return checked;
}

}  // namespace cultivar
