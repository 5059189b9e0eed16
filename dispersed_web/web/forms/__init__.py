"""What people type, and what is made of it. No form writes to the database: views hand what is clean to the domain.

The launch form        launch launch_fields launch_checks launch_names fields order asked_launch
  its parts            env volumes gpu_cards regions region_choice ssh_choice team_secrets stop_choices visitor
  what it begins with  prefill filling typed links preset
  from a recipe        recipe_launch recipe_inputs answer_fields recipe_values cook cook_launch cook_filling
  what stands beside   page quote outlook advice budget_left caps_beside cap_words review review_api
The recipe editor      recipe recipe_fields recipe_rows recipe_input_rows recipe_start recipe_faults recipe_yaml
                       recipe_import
A job                  job_choices protect kept inventory
Credentials, secrets   credential credential_rules secret usable_by
People and teams       setup me confirm ssh_keys tokens team team_people team_settings site notices browser_zone
Auto-stop              policy
In several of them     amounts
"""
