"""What a team knows of launching: recipes, their versions, and the inputs from which a launch form is made."""
