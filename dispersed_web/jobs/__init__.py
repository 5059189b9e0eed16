"""A team's jobs: launched, brought in line with the cloud, stopped, counted. Models are in ``models/``.

What every module is for stands in its first line; where to look:

    What is asked for      orders launch copies form_tokens launch_bounds launch_rates superseding specs marker errors
    From recipes, presets  from_recipe cooking cloud_recipes as_recipe presets secret_refs
    May it be launched     guard refusal launch_facts caps cap_facts cap_matching spending
    Sending a launch       sending adopt finding first_use starting
    Seeing the cloud       sync applying runs states missing departed unnamed sweeps
    Stopping               stop pursuit stop_alarms settling rate unstoppable
    Not launched here      strangers sources found making inventory stocktaking ignoring watching history past
    Lists and figures      queries list_orders lookups stored figures
    Logs                   logs log_text log_lines log_keeping log_store log_ends
    Ways to the machine    reach knock tokens ready
    What people keep       keeping calendar handover removal
    Keys, secrets, teams   credential_jobs radius secret_use closing outside
    Prices                 market
    For loops over many    alone
"""
