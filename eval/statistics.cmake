# Statistics alone, without the artifact and shard code: bandit/ links nothing else of eval.
add_library(eval_statistics STATIC ${CMAKE_CURRENT_LIST_DIR}/significance.cpp)
target_link_libraries(eval_statistics PUBLIC pool_types cultivar_settings)
